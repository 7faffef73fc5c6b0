package archive

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"strings"

	"marketplace/catalog"
)

// manifestLimit is far above any real manifest; a larger one is an error.
const manifestLimit = 1 << 20

// checkJar returns an error unless the file is a jar whose manifest names the plugin and the release.
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
		return fmt.Errorf("its manifest names the plugin %s, want %s", key, jar.Plugin)
	case version == "":
		return errors.New("its manifest has no Plugin-Version")
	case !sameRelease(version, jar):
		return fmt.Errorf("its manifest names version %s of plugin %s, want %s", version, key, jar.Release)
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

// mainAttributes reads "Name: value" lines up to the first empty one. A line of more than 72 bytes continues on lines
// that begin with a blank (JAR File Specification, "Name-Value pairs and Sections"), which may split a character.
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

// sameRelease reports whether a manifest's version is the jar's release. Manifests have "5.1 (build 10083)" or
// "5.1.0.10083" for what the metadata calls 5.1 and the jar's name 5.1.0.10083: major, minor and patch must be equal,
// and the builds if both sides have one.
func sameRelease(manifestVersion string, jar catalog.Jar) bool {
	got, gotBuild := splitBuild(manifestVersion)
	want, wantBuild := splitBuild(jar.Release)
	if got.Compare(want) != 0 {
		return false
	}
	if wantBuild == "" {
		wantBuild = buildInName(jar)
	}
	return gotBuild == "" || wantBuild == "" || gotBuild == wantBuild
}

// splitBuild separates the build from a version: the fourth number, or the text after "(build".
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

// buildInName returns the build in "…-5.1.0.10083.jar", if the name ends in a version of four numbers.
func buildInName(jar catalog.Jar) string {
	name := strings.TrimSuffix(jar.File, ".jar")
	name = name[strings.LastIndex(name, "-")+1:]
	if strings.Count(name, ".") != 3 {
		return ""
	}
	return name[strings.LastIndex(name, ".")+1:]
}
