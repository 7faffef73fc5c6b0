package packagestore

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"marketplace/shared/cloud"
)

// Object is an object to be stored in a bucket.
type Object struct {
	Content                                       io.ReaderAt
	Size                                          int64
	SHA256                                        string // of the content, in lower-case hex; S3 verifies it
	ContentType, ContentDisposition, CacheControl string // headers that it is served with; "" for none

	// Metadata is what is noted beside the object, by names in lower case.
	Metadata map[string]string
	// IfNew stores the object only if there is none under its key, IfMatch only if that one has this ETag. Otherwise
	// the error is ErrChanged.
	IfNew   bool
	IfMatch string
}

// S3 implements API with Amazon S3. It is safe for concurrent use.
type S3 struct{ client *s3.Client }

// Client returns an S3 client with the region and credentials that Lambda gives a function.
func Client(getenv func(string) string) *S3 { return NewS3(cloud.AWSConfig(getenv)) }

// NewS3 returns an S3 client for an AWS configuration; its BaseEndpoint, if set, replaces AWS's own address.
func NewS3(config aws.Config) *S3 { return &S3{s3.NewFromConfig(config)} }

// downloads is how often GetObject starts a download that breaks off; the SDK only repeats requests without a response.
const downloads = 3

// GetObject writes the object stored under a key into a file, from the file's beginning.
func (s *S3) GetObject(ctx context.Context, bucket, key string, file *os.File) error {
	if err := checkKey(key); err != nil {
		return err
	}
	for attempt := 1; ; attempt++ {
		again, err := s.download(ctx, bucket, key, file)
		if err == nil {
			return nil
		}
		if !again || attempt == downloads || ctx.Err() != nil {
			return explain(err, bucket, key)
		}
	}
}

// download reads an object once. again reports whether the download broke off, so that another attempt may succeed.
func (s *S3) download(ctx context.Context, bucket, key string, file *os.File) (again bool, err error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return false, err
	}
	if err := file.Truncate(0); err != nil {
		return false, err
	}
	out, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return false, err
	}
	defer out.Body.Close()
	body := &erringReader{Reader: out.Body}
	_, err = io.Copy(file, body)
	return body.err != nil, err
}

// PutObject stores an object under a key and replaces the previous one. Readers see either the old or the new object.
func (s *S3) PutObject(ctx context.Context, bucket, key string, o Object) error {
	if err := checkKey(key); err != nil {
		return err
	}
	sum, err := hex.DecodeString(o.SHA256)
	if err != nil {
		return fmt.Errorf("%s: SHA-256: %w", key, err)
	}
	in := &s3.PutObjectInput{
		Bucket: &bucket, Key: &key, Body: io.NewSectionReader(o.Content, 0, o.Size), ContentLength: &o.Size,
		ChecksumSHA256: aws.String(base64.StdEncoding.EncodeToString(sum)), ContentType: header(o.ContentType),
		ContentDisposition: header(o.ContentDisposition), CacheControl: header(o.CacheControl),
		Metadata: o.Metadata, IfMatch: header(o.IfMatch),
	}
	if o.IfNew {
		in.IfNoneMatch = aws.String("*")
	}
	_, err = s.client.PutObject(ctx, in)
	return explain(err, bucket, key)
}

// header returns a header's value, nil to leave it out.
func header(value string) *string {
	if value == "" {
		return nil
	}
	return &value
}

// checkKey refuses a key that a proxy or a CDN could mistake for another one.
func checkKey(key string) error {
	if key == "" || path.Clean("/"+key) != "/"+key {
		return fmt.Errorf("%q is not a key that every proxy leaves unchanged", key)
	}
	return nil
}

// explain says in words what an error of S3 means for the object under a key.
func explain(err error, bucket, key string) error {
	if err == nil {
		return nil
	}
	var operation *smithy.OperationError
	reading := errors.As(err, &operation) && operation.Operation() == "GetObject"
	var refusal smithy.APIError
	code := ""
	if errors.As(err, &refusal) {
		code = refusal.ErrorCode()
	}
	switch {
	case code == "PreconditionFailed" || code == "ConditionalRequestConflict":
		return fmt.Errorf("%s in the bucket %s: %w", key, bucket, errors.Join(ErrChanged, err))
	case code == "NoSuchKey" || code == "NotFound": // HEAD has no body that says which
		return fmt.Errorf("%s is not in the bucket %s: %w", key, bucket, missing{err})
	case code == "NoSuchBucket":
		return fmt.Errorf("there is no bucket %s: %w", bucket, err)
	case code == "AccessDenied" && reading:
		// S3 reports a missing object as such only to those who may list the bucket.
		return fmt.Errorf("%s is not in the bucket %s, or may not be read: %w", key, bucket, err)
	default:
		return fmt.Errorf("%s in the bucket %s: %w", key, bucket, err)
	}
}

// erringReader remembers the error that ended reading, unless that is io.EOF.
type erringReader struct {
	io.Reader
	err error
}

func (r *erringReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}
