// Package prepare makes the bundle of a catalog: it writes the documents, compresses them as far as possible and gives
// each coding its entity tag. It is slow on purpose, and runs when metadata is published or the program is built.
package prepare

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/andybalholm/brotli"

	"marketplace/catalog"
	"marketplace/catalog/archive"
	"marketplace/catalog/bundle"
	"marketplace/catalog/samplejar"
)

// Packages builds every package of the catalog that is not withdrawn, from a folder of jars into the folder out, and
// sets its size and SHA-256 in the catalog.
func Packages(c *catalog.Catalog, jars, out string) error {
	for i := range c.Packages {
		p := &c.Packages[i]
		if p.Withdrawn != "" {
			continue
		}
		result, err := archive.Build(filepath.Join(out, p.File), jars, p.Jars)
		if err != nil {
			return err
		}
		p.Size, p.SHA256 = result.Size, result.SHA256
	}
	return nil
}

// SamplePackages does the same with sample jars. With out "" it only sets sizes and sums.
func SamplePackages(c *catalog.Catalog, out string) error {
	temporary, err := os.MkdirTemp("", "sample-packages-")
	if err != nil {
		return fmt.Errorf("making sample packages: %w", err)
	}
	defer os.RemoveAll(temporary)
	if err := samplejar.Write(temporary, c.Jars()); err != nil {
		return err
	}
	if out == "" {
		out = temporary
	}
	return Packages(c, temporary, out)
}

// Bundle prepares all documents. The same catalog gives the same bytes.
func Bundle(c *catalog.Catalog) (*bundle.Bundle, error) {
	b := &bundle.Bundle{SiteURL: c.SiteURL}
	add := func(path, query string, content []byte) error {
		d, err := document(path, query, content)
		b.Documents = append(b.Documents, d)
		return err
	}
	if err := add(bundle.EditionsPath, "", c.EditionsJSON()); err != nil {
		return nil, err
	}
	if err := add(bundle.CatalogPath, "", c.JSON()); err != nil {
		return nil, err
	}
	newest, _ := c.PackagesJSON(c.Newest().Version)
	if err := add(bundle.PackagesPath, "", newest); err != nil {
		return nil, err
	}
	for _, v := range c.Versions {
		content, _ := c.PackagesJSON(v.Version)
		if err := add(bundle.PackagesPath, "version="+v.Version, content); err != nil {
			return nil, err
		}
	}
	for _, p := range c.Packages {
		b.Packages = append(b.Packages, bundle.Package{
			File: p.File, Edition: p.Edition, Version: p.Version,
			Size: p.Size, SHA256: p.SHA256, Withdrawn: p.Withdrawn,
		})
	}
	return b, nil
}

func document(path, query string, content []byte) (bundle.Document, error) {
	d := bundle.Document{Path: path, Query: query, ContentType: "application/json", Identity: body(content)}
	var err error
	d.Gzip, err = compress(content, func(w io.Writer) (io.WriteCloser, error) {
		return gzip.NewWriterLevel(w, gzip.BestCompression)
	})
	if err != nil {
		return d, fmt.Errorf("compressing %s with gzip: %w", path, err)
	}
	d.Brotli, err = compress(content, func(w io.Writer) (io.WriteCloser, error) {
		return brotli.NewWriterLevel(w, brotli.BestCompression), nil
	})
	if err != nil {
		return d, fmt.Errorf("compressing %s with brotli: %w", path, err)
	}
	return d, nil
}

func compress(content []byte, coding func(io.Writer) (io.WriteCloser, error)) (bundle.Body, error) {
	var compressed bytes.Buffer
	w, err := coding(&compressed)
	if err != nil {
		return bundle.Body{}, err
	}
	if _, err := w.Write(content); err != nil {
		return bundle.Body{}, err
	}
	if err := w.Close(); err != nil {
		return bundle.Body{}, err
	}
	return body(compressed.Bytes()), nil
}

// body gives content its entity tag, the hash of these bytes, so that it differs by coding.
func body(content []byte) bundle.Body {
	sum := sha256.Sum256(content)
	return bundle.Body{Bytes: content, ETag: `"` + hex.EncodeToString(sum[:12]) + `"`}
}
