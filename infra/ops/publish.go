package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"marketplace/catalog"
	"marketplace/catalog/bundle"
	"marketplace/catalog/prepare"
	"marketplace/infra/localdata"
)

const publishUsage = `usage: ops publish -metadata DIR -base-url URL -build N -out DIR [-jars DIR] [-site-url URL] [-previous FILE]

Writes the catalog, a page per edition, the bundle that is served (bundle.bin) and, with -jars, the packages. The folder of -out
appears or changes as a whole: at any moment, a kill included, it holds all of the old or all of the new. Without -jars it holds
no packages. Files in it that publish did not make, such as robots.txt, stay as they are, unless publish writes one of that name;
a folder or a link in it is refused. SHA256SUMS lists what publish made: what is listed and not made again goes.

With -previous, the bundle that was served before, the packages of that bundle and of all before it stay downloadable, though no
page lists them. A package that was published with another content is refused: it takes another build number. An edition that
the previous bundle had for a version may not disappear, unless -allow-removal is given.

What looks wrong in a file that no edition depends on is a warning. Editions that a version does not have are listed with the
plugins that keep them out.

`

const bundleUsage = `usage: ops bundle -metadata DIR -site-url URL [-base-url URL] -build N [-jars DIR | -sample-jars] [-previous FILE] -out FILE

Prepares the bundle that the functions carry, for the build of a deployment. The sizes and SHA-256 of the packages come from
-jars or -sample-jars; without, the bundle does not know them. -previous is as in publish.

`

// input is what both commands make a catalog from.
type input struct {
	*flag.FlagSet
	metadata, jars, previous, out string
	removal                       bool // editions may disappear
	options                       catalog.Options
	now                           time.Time
}

func newInput(name, usage string, stderr io.Writer) *input {
	in := &input{FlagSet: flag.NewFlagSet(name, flag.ContinueOnError), now: time.Now()}
	in.SetOutput(stderr)
	in.Usage = func() {
		fmt.Fprint(stderr, usage)
		in.PrintDefaults()
	}
	in.StringVar(&in.metadata, "metadata", "", "`folder` of release metadata")
	in.StringVar(&in.options.SiteURL, "site-url", "", "`URL` that stands for ${SITE_URL} in the metadata")
	in.StringVar(&in.options.BaseURL, "base-url", "", "`URL` of the folder that packages are downloaded from (default: the site's /downloads)")
	in.StringVar(&in.options.Build, "build", "", "build `number` in the names of the packages")
	in.StringVar(&in.jars, "jars", "", "`folder` of the jars that the packages are built of")
	in.StringVar(&in.previous, "previous", "", "`bundle` that was served before, whose packages stay downloadable")
	in.BoolVar(&in.removal, "allow-removal", false, "let editions disappear that the previous bundle had for a version")
	in.StringVar(&in.out, "out", "", "`path` to write to")
	return in
}

// parse reads the arguments; where they make no sense it says why, shows the usage and returns false.
func (in *input) parse(args []string) bool {
	if in.Parse(args) != nil {
		return false
	}
	for _, required := range []string{"metadata", "build", "out"} {
		if in.Lookup(required).Value.String() == "" {
			return in.misuse("-%s is required", required)
		}
	}
	if cmp.Or(in.options.BaseURL, in.options.SiteURL) == "" {
		return in.misuse("-base-url or -site-url is required")
	}
	if in.NArg() > 0 {
		return in.misuse("unexpected argument %q", in.Arg(0))
	}
	return true
}

func (in *input) misuse(format string, args ...any) bool {
	fmt.Fprintf(in.Output(), "%s: %s\n\n", in.Name(), fmt.Sprintf(format, args...))
	in.Usage()
	return false
}

func (in *input) catalog() (*catalog.Catalog, error) {
	if err := checkMetadata(in.metadata); err != nil {
		return nil, fmt.Errorf("-metadata %s: %w", in.metadata, err)
	}
	metadata, err := catalog.Read(os.DirFS(in.metadata), in.now)
	if err != nil {
		return nil, err
	}
	for _, w := range metadata.Warnings() {
		fmt.Fprintf(in.Output(), "warning: %s\n", w)
	}
	made, err := metadata.Catalog(in.options)
	if err != nil {
		return nil, err
	}
	for _, l := range made.LeftOut {
		fmt.Fprintf(in.Output(), "left out: %s\n", l)
	}
	return made, nil
}

// checkMetadata wants a folder with properties files; which ones, the catalog knows.
func checkMetadata(folder string) error {
	info, err := os.Stat(folder)
	if errors.Is(err, os.ErrNotExist) {
		return errors.New("there is no such folder")
	}
	if err == nil && !info.IsDir() {
		return errors.New("it is a file, where the folder of the release metadata is wanted")
	}
	if err != nil {
		return err
	}
	files, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(files, func(f os.DirEntry) bool { return filepath.Ext(f.Name()) == ".properties" }) {
		return errors.New("the folder holds no release metadata: update-center-source.properties and the other .properties files are missing")
	}
	return nil
}

// bundle prepares the bundle of a catalog and says in words what it keeps of the previous one.
func (in *input) bundle(made *catalog.Catalog) (b *bundle.Bundle, keeps string, err error) {
	if b, err = prepare.Bundle(made); err != nil || in.previous == "" {
		return b, "", err
	}
	file, err := os.ReadFile(in.previous)
	if err != nil {
		return nil, "", err
	}
	previous, err := bundle.Decode(file)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", in.previous, err)
	}
	if !in.removal {
		if err := prepare.CheckRemoval(b, previous); err != nil {
			return nil, "", fmt.Errorf("%s: %w", in.previous, err)
		}
	}
	kept, err := prepare.Keep(b, previous)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", in.previous, err)
	}
	return b, fmt.Sprintf("; %d packages of before stay downloadable", kept), nil
}

// refuse tells why nothing was written.
func (in *input) refuse(err error) int {
	fmt.Fprintf(in.Output(), "%s: refused, %s is as it was:\n%v\n", in.Name(), in.out, err)
	return 1
}

func publish(args []string, stdout, stderr io.Writer) int {
	in := newInput("publish", publishUsage, stderr)
	if !in.parse(args) {
		return 2
	}
	made, err := in.catalog()
	if err != nil {
		return in.refuse(err)
	}
	var keeps string
	files, carried, err := replaceFolder(in.out, func(fresh string) (err error) {
		keeps, err = in.fill(fresh, made)
		return err
	})
	if err != nil {
		return in.refuse(err)
	}
	stay := ""
	if carried > 0 {
		stay = fmt.Sprintf("; other files kept: %d", carried)
	}
	fmt.Fprintf(stdout, "published %d files to %s: %d versions, %d editions, %d packages%s%s\n",
		files, in.out, len(made.Versions), len(made.Editions), len(made.Packages), keeps, stay)
	return 0
}

// Documents of every publication.
const (
	editionsFile = "editions.json"
	catalogFile  = "catalog.json"
)

// fill writes all files of a publication into an empty folder. keeps is bundle's.
func (in *input) fill(folder string, made *catalog.Catalog) (keeps string, err error) {
	if in.jars != "" {
		if err := prepare.Packages(made, in.jars, folder); err != nil {
			return "", err
		}
	}
	bundled, keeps, err := in.bundle(made)
	if err != nil {
		return "", err
	}
	newest, _ := made.PackagesJSON(made.Newest().Version)
	files := map[string][]byte{
		editionsFile:    made.EditionsJSON(),
		"packages.json": newest,
		catalogFile:     made.JSON(),
		"bundle.bin":    bundled.Encode(),
		styleFile:       style,
	}
	for _, e := range made.Editions {
		if files[e.Key+".html"], err = editionPage(made, e); err != nil {
			return "", err
		}
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil {
			return "", err
		}
	}
	return keeps, nil
}

func writeBundle(args []string, _, stderr io.Writer) int {
	in := newInput("bundle", bundleUsage, stderr)
	sample := in.Bool("sample-jars", false, "take sample jars")
	if !in.parse(args) {
		return 2
	}
	if *sample && in.jars != "" {
		in.misuse("-jars and -sample-jars exclude each other")
		return 2
	}
	if err := in.writeBundle(*sample); err != nil {
		return in.refuse(err)
	}
	return 0
}

func (in *input) writeBundle(sample bool) error {
	made, err := in.catalog()
	if err != nil {
		return err
	}
	switch {
	case sample:
		err = prepare.SamplePackages(made, "")
	case in.jars != "":
		err = measure(made, in.jars)
	}
	if err != nil {
		return err
	}
	bundled, _, err := in.bundle(made)
	if err != nil {
		return err
	}
	return localdata.WriteFile(in.out, bundled.Encode(), 0o644)
}

// measure notes the sizes and sums of packages that it does not keep.
func measure(made *catalog.Catalog, jars string) error {
	temporary, err := os.MkdirTemp("", "packages-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary)
	return prepare.Packages(made, jars, temporary)
}
