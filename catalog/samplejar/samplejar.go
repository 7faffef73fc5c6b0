// Package samplejar makes small, valid jars with the names and manifests of a catalog's jars, so that every package can
// be built, downloaded and unzipped without the real ones. The same catalog gives the same bytes.
package samplejar

import (
	"archive/zip"
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"

	"marketplace/catalog"
)

// Write writes each of jars to folder, which must exist, and replaces existing files.
func Write(folder string, jars []catalog.Jar) error {
	for _, jar := range jars {
		if err := write(filepath.Join(folder, jar.File), jar); err != nil {
			return fmt.Errorf("sample jar %s: %w", jar.File, err)
		}
	}
	return nil
}

func write(path string, jar catalog.Jar) error {
	manifest := Manifest("Plugin-Key", jar.Plugin, "Plugin-Version", jar.Release,
		"Plugin-Description", "Stands in for the plugin "+jar.Plugin+" in version "+jar.Release+
			" so that its packages can be tried")
	var content bytes.Buffer
	out := zip.NewWriter(&content)
	// Stored, since compressed bytes may differ between versions of Go.
	w, err := out.CreateRaw(&zip.FileHeader{
		Name:               "META-INF/MANIFEST.MF",
		CRC32:              crc32.ChecksumIEEE([]byte(manifest)),
		CompressedSize64:   uint64(len(manifest)),
		UncompressedSize64: uint64(len(manifest)),
		//lint:ignore SA1019 CreateRaw takes the date from here, not from Modified
		ModifiedDate: 1<<5 | 1, // 1 January 1980
	})
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, manifest); err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, content.Bytes(), 0o644)
}

// Manifest returns a jar's manifest with the main attributes given as names and values. Lines have at most 72 bytes.
func Manifest(attributes ...string) string {
	var text strings.Builder
	text.WriteString("Manifest-Version: 1.0\r\n")
	for i := 0; i+1 < len(attributes); i += 2 {
		line := attributes[i] + ": " + attributes[i+1]
		for len(line) > 72 {
			text.WriteString(line[:72] + "\r\n")
			line = " " + line[72:]
		}
		text.WriteString(line + "\r\n")
	}
	text.WriteString("\r\n")
	return text.String()
}
