package archive_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"marketplace/catalog"
	"marketplace/catalog/archive"
	"marketplace/catalog/samplejar"
)

var (
	cpp     = catalog.Jar{File: "sonar-cfamily-plugin-5.1.0.10083.jar", Plugin: "cpp", Release: "5.1"}
	license = catalog.Jar{File: "sonar-license-plugin-3.3.0.1341.jar", Plugin: "license", Release: "3.3"}
)

// folder holds sample jars.
func folder(t *testing.T, jars ...catalog.Jar) string {
	t.Helper()
	dir := t.TempDir()
	if err := samplejar.Write(dir, jars); err != nil {
		t.Fatal(err)
	}
	return dir
}

// writeJar makes a jar of one manifest.
func writeJar(t *testing.T, path, name, manifest string) {
	t.Helper()
	var content bytes.Buffer
	out := zip.NewWriter(&content)
	w, err := out.Create(name)
	if err == nil {
		_, err = io.WriteString(w, manifest)
	}
	if err == nil {
		err = out.Close()
	}
	if err == nil {
		err = os.WriteFile(path, content.Bytes(), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestPackageIsFlatSortedAndReproducible(t *testing.T) {
	dir, out, old := folder(t, cpp, license), t.TempDir(), time.Unix(1, 0)
	first, err := archive.Build(filepath.Join(out, "a.zip"), dir, []catalog.Jar{license, cpp})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(filepath.Join(dir, cpp.File), old, old); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, cpp.File), 0o600); err != nil {
		t.Fatal(err)
	}
	second, err := archive.Build(filepath.Join(out, "b.zip"), dir, []catalog.Jar{cpp, license})
	if err != nil {
		t.Fatal(err)
	}
	if first != second {
		t.Errorf("two builds differ: got %+v, %+v", first, second)
	}

	content, err := os.ReadFile(filepath.Join(out, "a.zip"))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	if first.Size != int64(len(content)) || first.SHA256 != hex.EncodeToString(sum[:]) {
		t.Errorf("size and sum are not the file's: got %+v", first)
	}
	r, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range r.File {
		names = append(names, f.Name)
		if f.Method != zip.Store || f.Mode() != 0o644 || f.Modified.Year() != 1980 || f.Flags&8 != 0 {
			t.Errorf("entry %s: method %d, mode %v, time %v, flags %x", f.Name, f.Method, f.Mode(), f.Modified, f.Flags)
		}
		got, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		inside, err := io.ReadAll(got)
		if err != nil {
			t.Fatal(err)
		}
		if jar, _ := os.ReadFile(filepath.Join(dir, f.Name)); !bytes.Equal(inside, jar) {
			t.Errorf("entry %s is not the jar", f.Name)
		}
	}
	if !slices.Equal(names, []string{cpp.File, license.File}) {
		t.Errorf("entries %q", names)
	}
	if left, _ := filepath.Glob(filepath.Join(out, ".*")); len(left) > 0 {
		t.Errorf("left behind: got %q", left)
	}
}

func TestPackageUnzipsWithTheUsualTool(t *testing.T) {
	unzip, err := exec.LookPath("unzip")
	if err != nil {
		t.Skip("no unzip on PATH")
	}
	dir, out := folder(t, cpp, license), t.TempDir()
	path := filepath.Join(out, "a.zip")
	if _, err := archive.Build(path, dir, []catalog.Jar{cpp, license}); err != nil {
		t.Fatal(err)
	}
	if output, err := exec.Command(unzip, "-t", path).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, output)
	}
}

func TestUnexpectedJarsAreRefused(t *testing.T) {
	manifest := func(key, version string) string {
		return samplejar.Manifest("Plugin-Key", key, "Plugin-Version", version)
	}
	tests := []struct {
		name string
		jar  func(path string)
		want string
	}{
		{"missing", func(path string) { os.Remove(path) }, "missing"},
		{"another plugin", func(path string) { writeJar(t, path, "META-INF/MANIFEST.MF", manifest("abap", "5.1")) }, "abap"},
		{"another version", func(path string) { writeJar(t, path, "META-INF/MANIFEST.MF", manifest("cpp", "5.0")) }, "5.0"},
		{"another build", func(path string) { writeJar(t, path, "META-INF/MANIFEST.MF", manifest("cpp", "5.1 (build 10084)")) }, "10084"},
		{"a snapshot", func(path string) { writeJar(t, path, "META-INF/MANIFEST.MF", manifest("cpp", "5.1-SNAPSHOT")) }, "SNAPSHOT"},
		{"no key", func(path string) {
			writeJar(t, path, "META-INF/MANIFEST.MF", samplejar.Manifest("Plugin-Version", "5.1"))
		}, "Plugin-Key"},
		{"no version", func(path string) {
			writeJar(t, path, "META-INF/MANIFEST.MF", samplejar.Manifest("Plugin-Key", "cpp"))
		}, "Plugin-Version"},
		{"key outside the main section", func(path string) {
			writeJar(t, path, "META-INF/MANIFEST.MF",
				"Manifest-Version: 1.0\r\n\r\nName: x\r\nPlugin-Key: cpp\r\nPlugin-Version: 5.1\r\n")
		}, "Plugin-Key"},
		{"no manifest", func(path string) { writeJar(t, path, "readme.txt", manifest("cpp", "5.1")) }, "MANIFEST.MF"},
		{"no zip", func(path string) { os.WriteFile(path, []byte("<html>not found</html>"), 0o644) }, "not a readable jar"},
		{"cut", func(path string) {
			content, _ := os.ReadFile(path)
			os.WriteFile(path, content[:len(content)/2], 0o644)
		}, "not a readable jar"},
		{"empty", func(path string) { os.WriteFile(path, nil, 0o644) }, "not a readable jar"},
		{"a folder", func(path string) { os.Remove(path); os.Mkdir(path, 0o755) }, "not a file"},
		{"huge manifest", func(path string) {
			writeJar(t, path, "META-INF/MANIFEST.MF", manifest("cpp", "5.1")+strings.Repeat("\r\n", 1<<20))
		}, "larger than"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir, out := folder(t, cpp, license), t.TempDir()
			test.jar(filepath.Join(dir, cpp.File))
			_, err := archive.Build(filepath.Join(out, "a.zip"), dir, []catalog.Jar{cpp, license})
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), cpp.File) {
				t.Errorf("got %v, want %q and the jar's name", err, test.want)
			}
			if left, _ := os.ReadDir(out); len(left) > 0 {
				t.Errorf("something was written: got %v", left)
			}
		})
	}
}

func TestManifestVersionsMatchTheirRelease(t *testing.T) {
	for _, test := range []struct{ manifest, file, release string }{
		{"5.1", cpp.File, "5.1"},
		{"5.1 (build 10083)", cpp.File, "5.1"},
		{"5.1.0.10083", cpp.File, "5.1"},
		{"5.1.0 (build 10083)", cpp.File, "5.1.0"},
		{"5.1.0.10083", "cpp.jar", "5.1"},
		{"7.1.0.11001", "sonar-branch-plugin-7.1.jar", "7.1"},
		{"5.1 (build 10083)", "cpp.jar", "5.1.0.10083"},
		{"5.1-RC1", "sonar-cpp-5.1-RC1.jar", "5.1-RC1"},
	} {
		dir := t.TempDir()
		writeJar(t, filepath.Join(dir, test.file), "meta-inf/manifest.mf",
			samplejar.Manifest("Plugin-Key", "cpp", "Plugin-Version", test.manifest))
		if _, err := archive.Build(filepath.Join(t.TempDir(), "a.zip"), dir,
			[]catalog.Jar{{File: test.file, Plugin: "cpp", Release: test.release}}); err != nil {
			t.Errorf("%q for %s in %s: got %v", test.manifest, test.release, test.file, err)
		}
	}
}

func TestManifestLinesContinue(t *testing.T) {
	for name, manifest := range map[string]string{
		"long value":        samplejar.Manifest("Plugin-Description", strings.Repeat("é", 200), "Plugin-Key", "cpp", "Plugin-Version", "5.1"),
		"continued key":     "Manifest-Version: 1.0\r\nPlugin-Key: c\r\n pp\r\nPlugin-Version: 5\r\n .1\r\n\r\n",
		"LF only":           "Manifest-Version: 1.0\nPlugin-Key: cpp\nPlugin-Version: 5.1\n",
		"CR only":           "Manifest-Version: 1.0\rPlugin-Key: c\r pp\rPlugin-Version: 5.1\r",
		"names in any case": "MANIFEST-VERSION: 1.0\r\nplugin-key: cpp\r\nPLUGIN-VERSION: 5.1\r\n\r\n",
	} {
		dir := t.TempDir()
		writeJar(t, filepath.Join(dir, cpp.File), "META-INF/MANIFEST.MF", manifest)
		if _, err := archive.Build(filepath.Join(t.TempDir(), "a.zip"), dir, []catalog.Jar{cpp}); err != nil {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestNamesThatLeaveTheFolderAreRefused(t *testing.T) {
	for _, name := range []string{"../a.jar", "a/b.jar", `a\b.jar`, "/a.jar", "..", "", "a.zip", "a.jar.exe", ".a.jar",
		"a\x00.jar", "C:a.jar"} {
		_, err := archive.Build(filepath.Join(t.TempDir(), "a.zip"), t.TempDir(),
			[]catalog.Jar{{File: name, Plugin: "cpp", Release: "5.1"}})
		if err == nil || !strings.Contains(err.Error(), "plain name") {
			t.Errorf("%q: got %v", name, err)
		}
	}
}

func TestTwoJarsOfOnePluginAreRefused(t *testing.T) {
	other := catalog.Jar{File: "sonar-cfamily-plugin-5.0.0.9359.jar", Plugin: "cpp", Release: "5.0"}
	dir := folder(t, cpp, other)
	_, err := archive.Build(filepath.Join(t.TempDir(), "a.zip"), dir, []catalog.Jar{cpp, other})
	if err == nil || !strings.Contains(err.Error(), cpp.File) || !strings.Contains(err.Error(), other.File) {
		t.Errorf("got %v", err)
	}
}

func TestPackageWithoutJarsIsRefused(t *testing.T) {
	if _, err := archive.Build(filepath.Join(t.TempDir(), "a.zip"), t.TempDir(), nil); err == nil {
		t.Error("accepted")
	}
}

func TestAllMissingJarsAreNamed(t *testing.T) {
	_, err := archive.Build(filepath.Join(t.TempDir(), "a.zip"), t.TempDir(), []catalog.Jar{cpp, license})
	if err == nil || !strings.Contains(err.Error(), cpp.File) || !strings.Contains(err.Error(), license.File) {
		t.Errorf("got %v", err)
	}
}

// TestMemoryStaysFlat packs a jar of 64 MB and counts what is allocated.
func TestMemoryStaysFlat(t *testing.T) {
	dir := t.TempDir()
	file, err := os.Create(filepath.Join(dir, cpp.File))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	out := zip.NewWriter(file)
	for name, content := range map[string]io.Reader{
		"META-INF/MANIFEST.MF": strings.NewReader(samplejar.Manifest("Plugin-Key", "cpp", "Plugin-Version", "5.1")),
		"big":                  io.LimitReader(zeros{}, 64<<20),
	} {
		w, err := out.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err == nil {
			_, err = io.Copy(w, content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := archive.Build(filepath.Join(t.TempDir(), "a.zip"), dir, []catalog.Jar{cpp}); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 4<<20 {
		t.Errorf("%d bytes allocated for a package of 64 MB", got)
	}
}

// zeros is an endless source.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
