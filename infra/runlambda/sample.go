package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"marketplace/catalog/data"
	"marketplace/catalog/prepare"
	"marketplace/catalog/samplejar"
)

// publishSample publishes the sample catalog into the packages bucket, the packages before the catalog, from which the
// functions take it.
func (s *Server) publishSample(ctx context.Context) error {
	bucket, err := s.values.resource("PackagesBucket", "")
	if err != nil {
		return err
	}
	c, err := data.Catalog(s.URL)
	if err != nil {
		return err
	}
	folder := filepath.Join(s.folder, "bucket")
	for _, sub := range []string{"jars", "catalog"} {
		if err := os.MkdirAll(filepath.Join(folder, sub), 0o755); err != nil {
			return err
		}
	}
	if err := samplejar.Write(filepath.Join(folder, "jars"), c.Jars()); err != nil {
		return err
	}
	if err := prepare.Packages(c, filepath.Join(folder, "jars"), folder); err != nil {
		return err
	}
	b, err := prepare.Bundle(c)
	if err != nil {
		return err
	}
	for _, pattern := range []string{"jars/*", "*.zip"} {
		files, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil {
			return err
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			key, err := filepath.Rel(folder, file)
			if err != nil {
				return err
			}
			if err := s.put(ctx, bucket, filepath.ToSlash(key), content); err != nil {
				return err
			}
		}
	}
	return s.put(ctx, bucket, "catalog/bundle.bin", b.Encode())
}

// put stores an object in moto's S3.
func (s *Server) put(ctx context.Context, bucket, key string, content []byte) error {
	address := s.options.AWS + "/" + bucket + "/" + key
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, address, bytes.NewReader(content))
	if err != nil {
		return err
	}
	if strings.HasSuffix(key, ".zip") {
		r.Header.Set("Content-Type", "application/zip")
		r.Header.Set("Content-Disposition", "attachment")
		r.Header.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	sign(r, "s3")
	if _, err := send(r); err != nil {
		return fmt.Errorf("storing %s: %w", key, err)
	}
	return nil
}
