package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"marketplace/catalog"
	"marketplace/catalog/bundle"
	"marketplace/shared/cloud/awsprofile"
	"marketplace/shared/cloud/packagestore"
)

// objects is the part of S3 that publishing uses (shared/cloud/packagestore).
type objects interface {
	Read(ctx context.Context, bucket, key string) ([]byte, packagestore.Info, error)
	Stat(ctx context.Context, bucket, key string) (packagestore.Info, error)
	GetObject(ctx context.Context, bucket, key string, file *os.File) error
	PutObject(ctx context.Context, bucket, key string, o packagestore.Object) error
}

// Keys in the bucket. The live catalog is a copy of one of the builds, which stay for a rollback.
const (
	liveKey     = "catalog/bundle.bin"
	buildsKey   = "catalog/builds/"
	errorKey    = "errors/unavailable.html"
	buildNote   = "build"  // the metadata of the live catalog: the name of its build
	beforeNote  = "before" // that of the build before, also beside each build
	liveCache   = "public, max-age=60"
	buildType   = "application/octet-stream"
	packageType = "application/zip"
)

// destination is a bucket, or a prefix in one, to publish to.
type destination struct {
	objects
	bucket, prefix string
}

// openDestination opens an address such as s3://bucket/prefix with the usual AWS profile or environment.
func openDestination(ctx context.Context, address string) (destination, error) {
	p, err := parseDestination(address)
	if err != nil {
		return destination{}, err
	}
	p.objects, err = awsprofile.Packages(ctx)
	return p, err
}

func parseDestination(address string) (destination, error) {
	rest, ok := strings.CutPrefix(address, "s3://")
	bucket, prefix, _ := strings.Cut(strings.TrimSuffix(rest, "/"), "/")
	if !ok || bucket == "" || strings.Contains(prefix, "//") {
		return destination{}, fmt.Errorf("%q is not an address such as s3://bucket or s3://bucket/prefix", address)
	}
	if prefix != "" {
		prefix += "/"
	}
	return destination{bucket: bucket, prefix: prefix}, nil
}

// build is a published catalog: its name, that of the build before, and its bytes.
type build struct {
	name, before string
	file         []byte
	etag         string // of the live catalog
}

// live returns the catalog that is live; its file is nil if there is none.
func (p destination) live(ctx context.Context) (build, error) {
	file, info, err := p.Read(ctx, p.bucket, p.prefix+liveKey)
	if errors.Is(err, packagestore.ErrMissing) {
		return build{}, nil
	}
	return build{info.Metadata[buildNote], info.Metadata[beforeNote], file, info.ETag}, err
}

// publishTo publishes to the bucket and returns the exit status.
func (in *input) publishTo(made *catalog.Catalog, stdout io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	p, err := openDestination(ctx, in.to)
	if err == nil {
		run := in.publishIn
		if in.preview {
			run = in.previewIn
		}
		err = run(ctx, p, made, stdout)
	}
	if err != nil {
		fmt.Fprintf(in.Output(), "publish: failed: %v\n", err)
		return 1
	}
	return 0
}

// publishIn stores packages, jars and the error page, then the build, and makes it live if the catalog before is still
// live then. Interrupted at any point, the catalog before is live and has all that it names.
func (in *input) publishIn(ctx context.Context, p destination, made *catalog.Catalog, stdout io.Writer) error {
	before, err := in.before(ctx, p)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "publish-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	file, kept, err := in.fillBundle(folder, made)
	if err != nil {
		return err
	}
	if err := in.storeParts(ctx, p, made, folder); err != nil {
		return fmt.Errorf("the live catalog is unchanged: %w", err)
	}
	if bytes.Equal(file, before.file) {
		fmt.Fprintf(stdout, "this catalog is live already: build %s\n", before.name)
		return nil
	}
	b := build{name: buildName(in.now.UTC().Format("20060102T150405Z"), in.options.Build, file), file: file}
	if b.before, err = p.nameOf(ctx, before); err == nil {
		err = p.storeBuild(ctx, b)
	}
	if err != nil {
		return fmt.Errorf("the live catalog is unchanged: %w", err)
	}
	if err := p.replaceLive(ctx, b, before.etag); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "published to %s: %d versions, %d editions, %d packages; earlier packages that stay "+
		"downloadable: %d\n", in.to, len(made.Versions), len(made.Editions), len(made.Packages), kept)
	p.report(stdout, b)
	return nil
}

// before returns the catalog that is live, with which the new one is compared.
func (in *input) before(ctx context.Context, p destination) (build, error) {
	b, err := p.live(ctx)
	if err == nil && b.file != nil && in.previous != "" {
		err = errors.New("the bucket has a catalog already: leave out -previous")
	}
	in.live = b.file
	return b, err
}

// fillBundle writes all files into an empty folder and returns the bundle.
func (in *input) fillBundle(folder string, made *catalog.Catalog) (file []byte, kept int, err error) {
	if kept, err = in.fill(folder, made); err == nil {
		file, err = os.ReadFile(filepath.Join(folder, "bundle.bin"))
	}
	return file, kept, err
}

// previewIn stores the catalog where the console shows it, after all checks of publishIn.
func (in *input) previewIn(ctx context.Context, p destination, made *catalog.Catalog, stdout io.Writer) error {
	if _, err := in.before(ctx, p); err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "preview-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	file, _, err := in.fillBundle(folder, made)
	if err != nil {
		return err
	}
	o := p.object(build{file: file})
	o.CacheControl = "no-store"
	if err := p.PutObject(ctx, p.bucket, p.prefix+packagestore.PreviewKey, o); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "preview stored: %d versions, %d editions, %d packages. Nothing is published.\n"+
		"Admins see it in the console: %s/console/marketplace\n",
		len(made.Versions), len(made.Editions), len(made.Packages), made.SiteURL)
	return nil
}

func buildName(time, number string, file []byte) string {
	sum := sha256.Sum256(file)
	return time + "-" + number + "-" + hex.EncodeToString(sum[:4])
}

// report says which build is live and which was before it.
func (p destination) report(w io.Writer, live build) {
	fmt.Fprintf(w, "live:   build %s\n", live.name)
	if live.before == "" {
		fmt.Fprintln(w, "before: none")
		return
	}
	fmt.Fprintf(w, "before: build %s\n", live.before)
}

// storeParts stores what the catalog refers to.
func (in *input) storeParts(ctx context.Context, p destination, made *catalog.Catalog, folder string) error {
	for _, made := range made.Packages {
		err := p.storeFile(ctx, made.File, filepath.Join(folder, made.File), packagestore.Object{
			ContentType: packageType, ContentDisposition: "attachment",
			CacheControl: "public, max-age=31536000, immutable", IfNew: true,
		})
		if err != nil {
			return err
		}
	}
	for _, jar := range made.Jars() {
		err := p.storeFile(ctx, packagestore.JarsPrefix+jar.File, filepath.Join(in.jars, jar.File),
			packagestore.Object{ContentType: "application/java-archive", IfNew: true})
		if err != nil {
			return err
		}
	}
	if in.errorPage == "" {
		return nil
	}
	return p.storeFile(ctx, errorKey, in.errorPage, packagestore.Object{
		ContentType: "text/html; charset=utf-8", CacheControl: "public, max-age=300",
	})
}

// storeFile stores a file unless it is there already. One that is to be new must not be there with other content.
func (p destination) storeFile(ctx context.Context, key, path string, o packagestore.Object) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	hash := sha256.New()
	if o.Size, err = io.Copy(hash, file); err != nil {
		return err
	}
	o.Content, o.SHA256 = file, hex.EncodeToString(hash.Sum(nil))
	switch same, err := p.has(ctx, key, o); {
	case errors.Is(err, packagestore.ErrMissing):
	case err != nil || same:
		return err
	case o.IfNew:
		return contentDiffers(key)
	}
	err = p.PutObject(ctx, p.bucket, p.prefix+key, o)
	if errors.Is(err, packagestore.ErrChanged) { // another publisher was faster, or the answer to us was lost
		same, statErr := p.has(ctx, key, o)
		if statErr == nil && !same {
			return contentDiffers(key)
		}
		return statErr
	}
	return err
}

func contentDiffers(key string) error {
	return fmt.Errorf("%s was published with other content, which never changes: use another build number", key)
}

// has reports whether the object under a key has the content. The error is ErrMissing if there is none.
func (p destination) has(ctx context.Context, key string, o packagestore.Object) (bool, error) {
	info, err := p.Stat(ctx, p.bucket, p.prefix+key)
	if err != nil || info.Size != o.Size || info.SHA256 != "" {
		return err == nil && info.Size == o.Size && info.SHA256 == o.SHA256, err
	}
	// Stored by another tool, without the sum: it has to be read.
	file, err := os.CreateTemp("", "published-")
	if err != nil {
		return false, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if err := p.GetObject(ctx, p.bucket, p.prefix+key, file); err != nil {
		return false, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return false, err
	}
	hash := sha256.New()
	_, err = io.Copy(hash, file)
	return hex.EncodeToString(hash.Sum(nil)) == o.SHA256, err
}

// nameOf returns the name of a live build. One that another tool published gets a name and is stored under it.
func (p destination) nameOf(ctx context.Context, live build) (string, error) {
	if live.file == nil || live.name != "" {
		return live.name, nil
	}
	live.name = buildName("earlier", "unnamed", live.file)
	return live.name, p.storeBuild(ctx, live)
}

// storeBuild stores a build for a later rollback.
func (p destination) storeBuild(ctx context.Context, b build) error {
	o := p.object(b)
	o.IfNew = true
	o.Metadata = map[string]string{beforeNote: b.before}
	err := p.PutObject(ctx, p.bucket, p.prefix+buildsKey+b.name+".bin", o)
	if errors.Is(err, packagestore.ErrChanged) { // its name has its sum, so that it is the same
		return nil
	}
	return err
}

func (p destination) object(b build) packagestore.Object {
	sum := sha256.Sum256(b.file)
	return packagestore.Object{
		Content: bytes.NewReader(b.file), Size: int64(len(b.file)), SHA256: hex.EncodeToString(sum[:]),
		ContentType: buildType, CacheControl: liveCache,
	}
}

// replaceLive makes a build live if the catalog with the ETag still is; "" if there is none.
func (p destination) replaceLive(ctx context.Context, b build, etag string) error {
	if _, err := bundle.Decode(b.file); err != nil {
		return err
	}
	o := p.object(b)
	o.IfMatch, o.IfNew = etag, etag == ""
	o.Metadata = map[string]string{buildNote: b.name, beforeNote: b.before}
	err := p.PutObject(ctx, p.bucket, p.prefix+liveKey, o)
	if err == nil {
		return nil
	}
	// The answer may be what was lost, not the catalog; a repeated request then finds it changed.
	now, readErr := p.live(context.WithoutCancel(ctx))
	switch {
	case readErr != nil:
		return fmt.Errorf("it is not known whether build %s is live; \"ops rollback -show\" says which one is: %w",
			b.name, errors.Join(err, readErr))
	case now.name == b.name && now.before == b.before:
		return nil
	case errors.Is(err, packagestore.ErrChanged):
		return fmt.Errorf("somebody else made build %s live meanwhile; nothing of this one is: run it again", now.name)
	default:
		return fmt.Errorf("the live catalog is unchanged: %w", err)
	}
}
