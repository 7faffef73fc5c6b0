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
	"marketplace/shared/atomicfile"
)

const publishUsage = `usage: ops publish -metadata DIR -site-url URL -build N -out DIR [-base-url URL] [-jars DIR]
                   [-previous FILE] [-allow-removal] [-allow-other-site] [-samconfig FILE]
       ops publish -metadata DIR -site-url URL -build N -to s3://BUCKET[/PREFIX] -jars DIR
                   [-error-page FILE] [-previous FILE] [...]
       ops publish -preview -metadata DIR -site-url URL -build N -to s3://BUCKET[/PREFIX] [-jars DIR] [...]

Writes the catalog, a page per edition, the bundle that the functions serve (bundle.bin) and, with -jars, the packages.

The -out folder is replaced atomically: even if publish is killed, it contains either all old files or all new ones.
Without -jars it has no packages. Files in it that publish did not write, such as robots.txt, are kept unless publish
writes a file of that name; a folder or a link in it is an error. SHA256SUMS lists the files that publish wrote; the
next run deletes those it no longer writes.

With -previous, the packages of that bundle and of those before it stay downloadable, but no page lists them. A package
that was published with other content is an error: use another build number. An edition that was in the previous bundle
must still exist for the same version, unless you pass -allow-removal.

With -to, packages and jars are stored in the bucket first and the catalog last, which replaces the one before in one
step: customers see either, whole. The one before is read from there, so -previous is only for a bucket without one. If
somebody else publishes meanwhile, nothing is published: run it again, which is also safe after an interruption. What
is stored stays for "ops rollback".

With -preview, only the catalog is stored, where admins see it in the console under Settings > Marketplace preview, and
nobody else does. All that publish checks is checked. Nothing is published.

-site-url has to be a SiteUrl of the file -samconfig if there is one, and the site of the previous bundle unless you
pass -allow-other-site. Parameters in that file that the functions would refuse are refused here.

Problems in files that no edition uses are reported as warnings. If an edition cannot be built for a version, the output
lists the plugins that have no compatible release.

-site-url may be left out if -base-url is given and the metadata does not contain ${SITE_URL}.

`

const bundleUsage = `usage: ops bundle -metadata DIR -site-url URL -build N -out FILE [-base-url URL]
                  [-jars DIR | -sample-jars] [-previous FILE] [-allow-removal]

Writes the catalog bundle that is compiled into the functions. It includes package sizes and SHA-256 sums only with
-jars or -sample-jars. With -previous, the packages of that bundle and of those before it stay downloadable.

-site-url may be left out if -base-url is given and the metadata does not contain ${SITE_URL}.

`

// input is what both commands make a catalog from.
type input struct {
	*flag.FlagSet
	usage                         string
	metadata, jars, previous, out string
	removal                       bool // editions may disappear
	to, errorPage, samconfig      string
	preview                       bool   // store the catalog for the console, and publish nothing
	moved                         bool   // the site may be another one
	live                          []byte // the bundle in the bucket, in place of previous
	options                       catalog.Options
	now                           time.Time
}

func newInput(name, usage string) *input {
	in := &input{FlagSet: flag.NewFlagSet(name, flag.ContinueOnError), usage: usage, now: time.Now()}
	in.StringVar(&in.metadata, "metadata", "", "`folder` of the release metadata (required)")
	in.StringVar(&in.options.SiteURL, "site-url", "", "`URL` that replaces ${SITE_URL} in the metadata")
	in.StringVar(&in.options.BaseURL, "base-url", "",
		"`URL` of the folder from which packages are downloaded (default: /downloads of the site)")
	in.StringVar(&in.options.Build, "build", "", "build `number` in the names of the packages (required)")
	in.StringVar(&in.jars, "jars", "", "`folder` of the jars from which packages are built")
	in.StringVar(&in.previous, "previous", "", "current `bundle`; its packages stay downloadable")
	in.BoolVar(&in.removal, "allow-removal", false,
		"allow editions in the previous bundle to be missing from this one")
	in.BoolVar(&in.moved, "allow-other-site", false, "allow the previous bundle to be for another site")
	in.StringVar(&in.samconfig, "samconfig", "samconfig.toml",
		"`file` of the deployment's parameters, to check and to compare SiteUrl with; none checks nothing")
	in.StringVar(&in.out, "out", "", "`path` to write to (required)")
	if name == "publish" {
		in.StringVar(&in.to, "to", "", "`address` of the bucket to publish to, s3://BUCKET[/PREFIX], instead of -out")
		in.BoolVar(&in.preview, "preview", false, "show the catalog to admins in the console instead of publishing it")
		in.StringVar(&in.errorPage, "error-page", "infra/unavailable.html",
			"`file` that the site's distribution shows while nothing else answers, for -to")
	}
	return in
}

// help writes the usage and the flags.
func (in *input) help(w io.Writer) {
	fmt.Fprint(w, in.usage)
	in.SetOutput(w)
	in.PrintDefaults()
}

// parse parses the arguments and checks that the required ones are given. ok and status are those of the function
// parse.
func (in *input) parse(args []string, stdout, stderr io.Writer) (status int, ok bool) {
	if status, ok := parse(in.FlagSet, args, in.help, stdout, stderr); !ok {
		return status, false
	}
	if in.preview && in.to == "" {
		return in.misuse("-preview needs -to"), false
	}
	if in.to != "" {
		if in.out != "" || in.jars == "" && !in.preview {
			return in.misuse("-to needs -jars, and no -out"), false
		}
		in.out = in.to
	}
	for _, required := range []string{"metadata", "build", "out"} {
		if in.Lookup(required).Value.String() == "" {
			return in.misuse("-%s is required", required), false
		}
	}
	if cmp.Or(in.options.BaseURL, in.options.SiteURL) == "" {
		return in.misuse("-site-url or -base-url is required"), false
	}
	if in.NArg() > 0 {
		return in.misuse("unexpected argument %q", in.Arg(0)), false
	}
	return 0, true
}

// misuse reports a mistake with the help, and returns its exit status.
func (in *input) misuse(format string, args ...any) int {
	fmt.Fprintf(in.Output(), "%s: %s\n\n", in.Name(), fmt.Sprintf(format, args...))
	in.help(in.Output())
	return 2
}

func (in *input) catalog() (*catalog.Catalog, error) {
	if err := checkSamconfig(in.samconfig, in.options.SiteURL); err != nil {
		return nil, err
	}
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

// checkMetadata checks that there is a folder with properties files; the catalog checks which ones.
func checkMetadata(folder string) error {
	info, err := os.Stat(folder)
	if errors.Is(err, os.ErrNotExist) {
		return errors.New("folder not found")
	}
	if err == nil && !info.IsDir() {
		return errors.New("this is a file, not a folder of release metadata")
	}
	if err != nil {
		return err
	}
	files, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(files, func(f os.DirEntry) bool { return filepath.Ext(f.Name()) == ".properties" }) {
		return errors.New("the folder has no release metadata: update-center-source.properties and the other " +
			".properties files are missing")
	}
	return nil
}

// bundle prepares the bundle of a catalog, with the packages of the previous bundle; kept is how many these are.
func (in *input) bundle(made *catalog.Catalog) (b *bundle.Bundle, kept int, err error) {
	b, err = prepare.Bundle(made)
	name, file := in.previous, in.live
	if err != nil || name == "" && file == nil {
		return b, 0, err
	}
	if file == nil {
		if file, err = os.ReadFile(name); err != nil {
			return nil, 0, err
		}
	} else {
		name = "the live catalog"
	}
	if kept, err = in.keep(b, file); err != nil {
		return nil, 0, fmt.Errorf("%s: %w", name, err)
	}
	return b, kept, nil
}

// keep compares the bundle with the file of the previous one, whose packages it keeps.
func (in *input) keep(b *bundle.Bundle, file []byte) (kept int, err error) {
	previous, err := bundle.Decode(file)
	if err != nil {
		return 0, err
	}
	if previous.SiteURL != b.SiteURL && !in.moved {
		return 0, fmt.Errorf("it is for the site %s, not for %s; -allow-other-site publishes all the same",
			previous.SiteURL, b.SiteURL)
	}
	if !in.removal {
		if err := prepare.CheckRemoval(b, previous); err != nil {
			return 0, err
		}
	}
	return prepare.Keep(b, previous)
}

// refuse reports why nothing was written.
func (in *input) refuse(err error) int {
	fmt.Fprintf(in.Output(), "%s: failed; %s is unchanged:\n%v\n", in.Name(), in.out, err)
	return 1
}

func publish(args []string, stdout, stderr io.Writer) int {
	in := newInput("publish", publishUsage)
	if status, ok := in.parse(args, stdout, stderr); !ok {
		return status
	}
	made, err := in.catalog()
	if err != nil {
		return in.refuse(err)
	}
	if in.to != "" {
		return in.publishTo(made, stdout)
	}
	var kept int
	files, carried, err := replaceFolder(in.out, func(fresh string) (err error) {
		kept, err = in.fill(fresh, made)
		return err
	})
	if err != nil {
		return in.refuse(err)
	}
	fmt.Fprintf(stdout, "published %d files to %s: %d versions, %d editions, %d packages",
		files, in.out, len(made.Versions), len(made.Editions), len(made.Packages))
	if in.previous != "" {
		fmt.Fprintf(stdout, "; earlier packages that stay downloadable: %d", kept)
	}
	if carried > 0 {
		fmt.Fprintf(stdout, "; other files kept: %d", carried)
	}
	fmt.Fprintln(stdout)
	return 0
}

// Documents of every publication.
const (
	editionsFile = "editions.json"
	catalogFile  = "catalog.json"
)

// fill writes all files of a publication into an empty folder. kept is how many packages of the previous bundle stay.
func (in *input) fill(folder string, made *catalog.Catalog) (kept int, err error) {
	if in.jars != "" {
		if err := prepare.Packages(made, in.jars, folder); err != nil {
			return 0, err
		}
	}
	bundled, kept, err := in.bundle(made)
	if err != nil {
		return 0, err
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
			return 0, err
		}
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil {
			return 0, err
		}
	}
	return kept, nil
}

func writeBundle(args []string, stdout, stderr io.Writer) int {
	in := newInput("bundle", bundleUsage)
	sample := in.Bool("sample-jars", false, "build the packages from sample jars")
	if status, ok := in.parse(args, stdout, stderr); !ok {
		return status
	}
	if *sample && in.jars != "" {
		return in.misuse("use either -jars or -sample-jars")
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
	return atomicfile.Write(in.out, bundled.Encode(), 0o644)
}

// measure builds the packages for their sizes and sums alone.
func measure(made *catalog.Catalog, jars string) error {
	temporary, err := os.MkdirTemp("", "packages-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary)
	return prepare.Packages(made, jars, temporary)
}
