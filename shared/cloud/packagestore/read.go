package packagestore

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Errors of conditions.
var (
	ErrMissing = errors.New("there is no such object")
	ErrChanged = errors.New("the object is not as expected: somebody else stored it meanwhile")
)

// missing is an error of S3 that is ErrMissing as well.
type missing struct{ error }

func (m missing) Unwrap() error        { return m.error }
func (m missing) Is(target error) bool { return target == ErrMissing }

// Info is what S3 knows of an object.
type Info struct {
	ETag     string
	Size     int64
	SHA256   string // in lower-case hex; "" if the object was stored without
	Metadata map[string]string
}

// Stat returns what S3 knows of the object under a key, or ErrMissing.
func (s *S3) Stat(ctx context.Context, bucket, key string) (Info, error) {
	if err := checkKey(key); err != nil {
		return Info{}, err
	}
	out, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: &bucket, Key: &key, ChecksumMode: types.ChecksumModeEnabled,
	})
	if err != nil {
		return Info{}, explain(err, bucket, key)
	}
	return info(out.ETag, out.ContentLength, out.ChecksumSHA256, out.Metadata), nil
}

// maxRead is the size of the largest object that Read reads.
const maxRead = 8 << 20

// Read returns a small object with what S3 knows of it, or ErrMissing.
func (s *S3) Read(ctx context.Context, bucket, key string) ([]byte, Info, error) {
	if err := checkKey(key); err != nil {
		return nil, Info{}, err
	}
	out, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return nil, Info{}, explain(err, bucket, key)
	}
	defer out.Body.Close()
	content, err := io.ReadAll(io.LimitReader(out.Body, maxRead+1))
	if err == nil && len(content) > maxRead {
		err = fmt.Errorf("it is larger than %d bytes", maxRead)
	}
	return content, info(out.ETag, out.ContentLength, out.ChecksumSHA256, out.Metadata), explain(err, bucket, key)
}

func info(etag *string, size *int64, sum *string, metadata map[string]string) Info {
	i := Info{ETag: aws.ToString(etag), Size: aws.ToInt64(size), Metadata: metadata}
	// The sum of an object that was stored in parts is not one of its content, and no base64.
	if raw, err := base64.StdEncoding.DecodeString(aws.ToString(sum)); err == nil && len(raw) == 32 {
		i.SHA256 = hex.EncodeToString(raw)
	}
	return i
}
