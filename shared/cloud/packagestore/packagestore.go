// Package packagestore builds custom packages in S3, from the jars published there. Customers download them from the
// same place as the packages of the editions. It is separate from cloud so that only the console links it.
package packagestore

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"marketplace/catalog"
	"marketplace/catalog/archive"
	"marketplace/catalog/custompackage"
)

// API is the part of S3 that a Bucket uses. Its methods are named after S3's operations: the IAM action is "s3:" and
// the name.
type API interface {
	// GetObject writes the object stored under a key into a file, from the file's beginning.
	GetObject(ctx context.Context, bucket, key string, file *os.File) error
	// PutObject stores an object under a key and replaces the previous one, all or nothing.
	PutObject(ctx context.Context, bucket, key string, o Object) error
}

// Prefixes of the keys in the bucket. The public must not be able to list TailoredPrefix: the names below it are
// secrets.
const (
	JarsPrefix     = "jars/"     // the jars of all packages, by file name
	TailoredPrefix = "tailored/" // custom packages
)

// Bucket builds packages in a bucket. API and Name are required.
type Bucket struct {
	API  API
	Name string
	// Temp is a folder for the jars and the package while it is built, which needs twice the package's size.
	Temp string
}

// MakePackage builds the package of the jars and stores it under a name. The same jars give the same bytes. It uses
// little memory, however large the jars are.
func (b Bucket) MakePackage(ctx context.Context, name string, jars []catalog.Jar) (err error) {
	if err := custompackage.CheckName(name); err != nil {
		return err
	}
	folder, err := os.MkdirTemp(b.Temp, "packagestore-")
	if err != nil {
		return fmt.Errorf("packagestore: package %s: %w", name, err)
	}
	defer os.RemoveAll(folder)
	if err := b.fetch(ctx, folder, jars); err != nil {
		return fmt.Errorf("packagestore: package %s: %w", name, err)
	}
	path := filepath.Join(folder, name)
	built, err := archive.Build(path, folder, jars)
	if err != nil {
		return fmt.Errorf("packagestore: %w", err)
	}
	if err := b.put(ctx, path, name, built); err != nil {
		return fmt.Errorf("packagestore: package %s: %w", name, err)
	}
	return nil
}

// fetch downloads the jars into the folder, a few at a time.
func (b Bucket) fetch(ctx context.Context, folder string, jars []catalog.Jar) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for _, jar := range jars {
		group.Go(func() error {
			if err := b.get(ctx, filepath.Join(folder, filepath.Base(jar.File)), JarsPrefix+jar.File); err != nil {
				return fmt.Errorf("jar %s: %w", jar.File, err)
			}
			return nil
		})
	}
	return group.Wait()
}

func (b Bucket) get(ctx context.Context, path, key string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := b.API.GetObject(ctx, b.Name, key, file); err != nil {
		return err
	}
	return file.Close()
}

// put stores the package with the headers of a download (client-contract.md §6).
func (b Bucket) put(ctx context.Context, path, name string, built archive.Result) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return b.API.PutObject(ctx, b.Name, TailoredPrefix+name, Object{
		Content: file, Size: built.Size, SHA256: built.SHA256,
		ContentType: "application/zip", ContentDisposition: `attachment; filename="` + name + `"`,
		CacheControl: "private, max-age=86400",
	})
}
