// Package packagestore makes packages that are for one customer, in S3: of the jars that were published there, below the same address
// as the packages of the editions. It stands apart from cloud so that only the function that makes packages links it.
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

// API is what is asked of S3, by the names that operations have there: an IAM action is "s3:" and such a name.
type API interface {
	// GetObject writes what is stored under a key into a file, from the file's beginning.
	GetObject(ctx context.Context, bucket, key string, file *os.File) error
	// PutObject stores an object under a key, in place of what was there, whole or not at all.
	PutObject(ctx context.Context, bucket, key string, o Object) error
}

// Where things are in the bucket. What is below TailoredPrefix must not be listed to the public: its names are secrets.
const (
	JarsPrefix     = "jars/"     // the jars of all packages, by their file names
	TailoredPrefix = "tailored/" // the packages that are made here
)

// Bucket makes packages in a bucket. Its zero value will not do.
type Bucket struct {
	API  API
	Name string
	// Temp is a folder in which jars and package are while a package is made: twice the size of the package is needed.
	Temp string
}

// MakePackage makes the package of the jars available under a name. The same jars under the same name again are the same bytes. However
// large the jars are, memory stays flat.
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

// fetch brings the jars into the folder, a few at once.
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

// put stores the package as downloads are served (client-contract.md §6).
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
