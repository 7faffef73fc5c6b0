package packagestore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/aws/smithy-go"

	"marketplace/catalog/bundle"
	"marketplace/shared/fault"
)

// PreviewKey is the key of a catalog that is not published yet. It is beside the jars, since the console reads these,
// and the public does not (decision 37).
const PreviewKey = JarsPrefix + "preview.bin"

// Preview returns the catalog that is to be published. If there is none, the error is a NotFound fault.
func (b Bucket) Preview(ctx context.Context) (*bundle.Bundle, error) {
	file, err := os.CreateTemp(b.Temp, "preview-")
	if err != nil {
		return nil, fmt.Errorf("packagestore: preview: %w", err)
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if err := b.API.GetObject(ctx, b.Name, PreviewKey, file); err != nil {
		// S3 says so of a missing object to those who may not list the bucket.
		var refusal smithy.APIError
		if errors.Is(err, ErrMissing) || errors.As(err, &refusal) && refusal.ErrorCode() == "AccessDenied" {
			return nil, fault.New(fault.NotFound, "There is no catalog to preview.")
		}
		return nil, fmt.Errorf("packagestore: preview: %w", err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("packagestore: preview: %w", err)
	}
	content, err := io.ReadAll(io.LimitReader(file, maxRead+1))
	if err != nil {
		return nil, fmt.Errorf("packagestore: preview: %w", err)
	}
	if len(content) > maxRead {
		return nil, fmt.Errorf("packagestore: preview: it is larger than %d bytes", maxRead)
	}
	return bundle.Decode(content)
}
