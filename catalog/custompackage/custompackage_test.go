package custompackage_test

import (
	"archive/zip"
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"marketplace/catalog"
	"marketplace/catalog/custompackage"
	"marketplace/catalog/samplejar"
)

var (
	cpp  = catalog.Jar{File: "sonar-cfamily-plugin-5.1.0.10083.jar", Plugin: "cpp", Release: "5.1"}
	lic  = catalog.Jar{File: "sonar-license-plugin-3.3.0.1341.jar", Plugin: "license", Release: "3.3"}
	name = "developer-edition-7.1-abcdefghijklmnopqrstuvwxyz.zip"
)

func folder(t *testing.T) custompackage.Folder {
	t.Helper()
	f := custompackage.Folder{Jars: t.TempDir(), Out: filepath.Join(t.TempDir(), "packages", "tailored")}
	if err := samplejar.Write(f.Jars, []catalog.Jar{cpp, lic}); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestPackageHasItsJarsAndIsReproducible(t *testing.T) {
	f := folder(t)
	var made [][]byte
	for range 2 {
		if err := f.MakePackage(t.Context(), name, []catalog.Jar{cpp, lic}); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(filepath.Join(f.Out, name))
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, content)
	}
	if !bytes.Equal(made[0], made[1]) {
		t.Error("the second has other bytes")
	}
	z, err := zip.NewReader(bytes.NewReader(made[0]), int64(len(made[0])))
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, e := range z.File {
		files = append(files, e.Name)
	}
	if !slices.Equal(files, []string{cpp.File, lic.File}) {
		t.Errorf("it holds %v", files)
	}
}

func TestInvalidPackagesAreRefused(t *testing.T) {
	f := folder(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	missing := catalog.Jar{File: "sonar-cobol-plugin-4.3.0.3019.jar", Plugin: "cobol", Release: "4.3"}
	for _, test := range []struct {
		ctx  context.Context
		name string
		jars []catalog.Jar
	}{
		{t.Context(), "../" + name, []catalog.Jar{cpp}},
		{t.Context(), "developer-edition-7.1.zip", []catalog.Jar{cpp}},
		{t.Context(), name, []catalog.Jar{cpp, missing}},
		{t.Context(), name, nil},
		{gone, name, []catalog.Jar{cpp}},
	} {
		if err := f.MakePackage(test.ctx, test.name, test.jars); err == nil {
			t.Errorf("%s of %v was made", test.name, test.jars)
		}
	}
	left, err := filepath.Glob(filepath.Join(f.Out, "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: got %v, %v", left, err)
	}
}
