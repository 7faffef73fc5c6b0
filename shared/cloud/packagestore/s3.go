package packagestore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"marketplace/shared/cloud"
	"marketplace/shared/cloud/signed"
	"marketplace/shared/lazyregexp"
)

// Object is what is put into a bucket.
type Object struct {
	Content                                       io.ReaderAt
	Size                                          int64
	SHA256                                        string // of the content, in lower-case hex: S3 takes no other content
	ContentType, ContentDisposition, CacheControl string // headers that it is served with
}

// S3 is Amazon S3 by its REST protocol. Several goroutines may use it.
type S3 struct{ client *signed.Client }

// Client is S3 with the region and credentials that Lambda gives a function in its environment.
func Client(getenv func(string) string, now func() time.Time) *S3 {
	return NewS3(cloud.AWSConfig(getenv), now)
}

// NewS3 is S3 as configured; signed.New says what it takes of that.
func NewS3(config aws.Config, now func() time.Time) *S3 { return &S3{signed.New("s3", config, now)} }

// GetObject writes what is stored under a key into a file, from the file's beginning.
func (s *S3) GetObject(ctx context.Context, bucket, key string, file *os.File) error {
	return s.call(ctx, bucket, key, signed.Request{
		Operation: "GetObject", Method: http.MethodGet,
		Answer: func(r io.Reader) error {
			if _, err := file.Seek(0, io.SeekStart); err != nil {
				return err
			}
			if err := file.Truncate(0); err != nil {
				return err
			}
			_, err := io.Copy(file, r)
			return err
		},
	})
}

// PutObject stores an object under a key, in place of what was there. It is there whole or not at all.
func (s *S3) PutObject(ctx context.Context, bucket, key string, o Object) error {
	return s.call(ctx, bucket, key, signed.Request{
		Operation: "PutObject", Method: http.MethodPut,
		Header: http.Header{
			"Content-Type": {o.ContentType}, "Content-Disposition": {o.ContentDisposition}, "Cache-Control": {o.CacheControl},
			"Expect": {"100-continue"}, // a refusal comes before the content goes
		},
		Body: o.Content, Size: o.Size, SHA256: o.SHA256,
	})
}

// call says what S3's refusals mean.
func (s *S3) call(ctx context.Context, bucket, key string, r signed.Request) error {
	var err error
	if r.Address, r.Path, err = s.locate(bucket, key); err != nil {
		return fmt.Errorf("s3 %s: %w", r.Operation, err)
	}
	err = s.client.Do(ctx, r)
	var refusal *signed.Error
	switch {
	case !errors.As(err, &refusal):
		return err
	case refusal.Code == "NoSuchKey":
		return fmt.Errorf("%s is not in the bucket %s: %w", key, bucket, err)
	case refusal.Status == http.StatusNotFound:
		return fmt.Errorf("there is no bucket %s: %w", bucket, err)
	case refusal.Status == http.StatusForbidden && r.Method == http.MethodGet:
		// S3 tells only those who may list a bucket what is not in it.
		return fmt.Errorf("%s is not in the bucket %s, or may not be read: %w", key, bucket, err)
	default:
		return fmt.Errorf("%s in the bucket %s: %w", key, bucket, err)
	}
}

// bucketName is of buckets that a host name can be made of (S3 user guide, "General purpose bucket naming rules").
var bucketName = lazyregexp.New(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// locate says where an object is: below the bucket's own host name, or below its name on S3's where there is a dot in it, which the
// certificate of the former does not cover, and on an S3 that is not AWS's. A key that a proxy could take for another is refused.
func (s *S3) locate(bucket, key string) (address, where string, err error) {
	switch {
	case !bucketName().MatchString(bucket):
		return "", "", fmt.Errorf("%q is not the name of a bucket", bucket)
	case path.Clean("/"+key) != "/"+key || key == "":
		return "", "", fmt.Errorf("%q is not a key that every proxy leaves as it is", key)
	case strings.Contains(bucket, ".") || s.client.Elsewhere():
		return s.client.Address(""), "/" + bucket + "/" + key, nil
	default:
		return s.client.Address(bucket), "/" + key, nil
	}
}
