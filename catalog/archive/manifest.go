package archive

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"strings"

	"marketplace/catalog"
)

// manifestLimit is far above any real manifest; a jar that hides more behind that name is not read.
const manifestLimit = 1 << 20

// checkJar makes sure that a file is a jar whose manifest says that it is the plugin and the release that are meant.
func checkJar(file io.ReaderAt, size int64, jar catalog.Jar) error {
	contents, err := zip.NewReader(file, size)
	if err != nil {
		return fmt.Errorf("it is not a readable jar: %w", err)
	}
	attributes, err := manifest(contents)
	if err != nil {
		return err
	}
	key, version := attributes["plugin-key"], attributes["plugin-version"]
	switch {
	case key == "":
		return errors.New("its manifest has no Plugin-Key")
	case key != jar.Plugin:
		return fmt.Errorf("its manifest says plugin %s, but it is to be %s", key, jar.Plugin)
	case version == "":
		return errors.New("its manifest has no Plugin-Version")
	case !sameRelease(version, jar):
		return fmt.Errorf("its manifest says version %s of plugin %s, but it is to be %s", version, key, jar.Release)
	}
	return nil
}

// manifest reads the main attributes of META-INF/MANIFEST.MF, names in lower case. Java finds the file under any case.
func manifest(jar *zip.Reader) (map[string]string, error) {
	var found []*zip.File
	for _, entry := range jar.File {
		if strings.EqualFold(entry.Name, "META-INF/MANIFEST.MF") {
			found = append(found, entry)
		}
	}
	switch {
	case len(found) == 0:
		return nil, errors.New("it has no META-INF/MANIFEST.MF")
	case len(found) > 1: // a server may read another one than we do
		return nil, fmt.Errorf("it has %d manifests", len(found))
	}
	r, err := found[0].Open()
	if err != nil {
		return nil, fmt.Errorf("reading its manifest: %w", err)
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, manifestLimit+1))
	if err != nil {
		return nil, fmt.Errorf("reading its manifest: %w", err)
	}
	if len(text) > manifestLimit {
		return nil, fmt.Errorf("its manifest is larger than %d bytes", manifestLimit)
	}
	return mainAttributes(string(text)), nil
}

// mainAttributes reads "Name: value" lines up to the first empty one. A line of more than 72 bytes is written as several, each
// further one beginning with a blank (JAR File Specification, "Name-Value pairs and Sections"); a character may be split there.
func mainAttributes(text string) map[string]string {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	text, _, _ = strings.Cut(text, "\n\n")
	text = strings.ReplaceAll(text, "\n ", "")
	attributes := make(map[string]string)
	for line := range strings.SplitSeq(text, "\n") {
		if name, value, ok := strings.Cut(line, ":"); ok {
			attributes[strings.ToLower(name)] = strings.TrimSpace(value)
		}
	}
	return attributes
}

// sameRelease tells whether a manifest's version is the release that is meant. Manifests say "5.1 (build 10083)" or "5.1.0.10083"
// for what the metadata calls 5.1 and the jar's name 5.1.0.10083: major, minor and patch must be equal, and the builds where both
// sides have one.
func sameRelease(manifestVersion string, jar catalog.Jar) bool {
	said, saidBuild := splitBuild(manifestVersion)
	meant, meantBuild := splitBuild(jar.Release)
	if said.Compare(meant) != 0 {
		return false
	}
	if meantBuild == "" {
		meantBuild = buildInName(jar)
	}
	return saidBuild == "" || meantBuild == "" || saidBuild == meantBuild
}

// splitBuild takes the build off a version: the fourth number, or what stands behind "(build".
func splitBuild(text string) (version catalog.Version, build string) {
	text, behind, hasBuild := strings.Cut(text, "(build")
	if hasBuild {
		build = strings.Trim(behind, " )")
	}
	numbers, qualifier, qualified := strings.Cut(strings.TrimSpace(text), "-")
	if parts := strings.SplitN(numbers, ".", 4); len(parts) == 4 {
		numbers = strings.Join(parts[:3], ".")
		if build == "" {
			build = parts[3]
		}
	}
	if qualified {
		numbers += "-" + qualifier
	}
	return catalog.NewVersion(numbers), build
}

// buildInName is the build in "…-5.1.0.10083.jar", if the name ends in a version of four numbers.
func buildInName(jar catalog.Jar) string {
	name := strings.TrimSuffix(jar.File, ".jar")
	name = name[strings.LastIndex(name, "-")+1:]
	if strings.Count(name, ".") != 3 {
		return ""
	}
	return name[strings.LastIndex(name, ".")+1:]
}
