// Package tailor makes packages that are for one customer, in S3: of the jars that were published there, below the same address
// as the packages of the editions. It stands apart from cloud so that only the function that makes packages links S3.
package tailor

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"

	"marketplace/catalog"
	"marketplace/catalog/tailored"
)

// API is what is called of a *s3.Client.
type API interface {
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
}

// Client is S3 with the region and credentials that Lambda gives a function in its environment.
func Client(getenv func(string) string) *s3.Client {
	return s3.New(s3.Options{
		Region: getenv("AWS_REGION"),
		Credentials: credentials.NewStaticCredentialsProvider(
			getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY"), getenv("AWS_SESSION_TOKEN")),
	})
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

// Tailor makes the package of the jars available under a name. The same jars under the same name again are the same bytes. However
// large the jars are, memory stays flat.
func (b Bucket) Tailor(ctx context.Context, name string, jars []catalog.Jar) (err error) {
	if err := tailored.CheckName(name); err != nil {
		return err
	}
	folder, err := os.MkdirTemp(b.Temp, "tailor-")
	if err != nil {
		return fmt.Errorf("tailor: package %s: %w", name, err)
	}
	defer os.RemoveAll(folder)
	if err := b.fetch(ctx, folder, jars); err != nil {
		return fmt.Errorf("tailor: package %s: %w", name, err)
	}
	if err := (tailored.Folder{Jars: folder, Out: folder}).Tailor(ctx, name, jars); err != nil {
		return err
	}
	if err := b.put(ctx, filepath.Join(folder, name), name); err != nil {
		return fmt.Errorf("tailor: package %s: %w", name, err)
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
	object, err := b.API.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.Name, Key: &key})
	if err != nil {
		return err
	}
	defer object.Body.Close()
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := io.Copy(file, object.Body); err != nil {
		return err
	}
	return file.Close()
}

// put stores the package as downloads are served (CLIENT-CONTRACT §6).
func (b Bucket) put(ctx context.Context, path, name string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = b.API.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &b.Name, Key: aws.String(TailoredPrefix + name), Body: file,
		ContentType: aws.String("application/zip"), ContentDisposition: aws.String(`attachment; filename="` + name + `"`),
		CacheControl: aws.String("private, max-age=86400"),
	})
	return err
}
