// Package bundle is the prepared catalog: the bytes that the catalog function serves and the packages that it links to,
// in one file that opens in microseconds, since that happens at each cold start.
//
// It knows nothing of release metadata (package catalog), of how a bundle is made (catalog/prepare) or of HTTP.
//
// The file, integers big-endian:
//
//	magic    8 bytes, "catalog\x01"
//	checksum 4 bytes, CRC-32 (IEEE) of the rest
//	length   4 bytes, of the index
//	index    strings and numbers, as unsigned varints and length-prefixed UTF-8, in the order of the types below
//	bodies   identity, gzip and brotli of each document, back to back, to the end of the file
package bundle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

const (
	magic      = "catalog\x01"
	headerSize = len(magic) + 4 + 4
)

// Paths at which every bundle has a document without a query.
const (
	EditionsPath = "/editions.json"
	PackagesPath = "/packages.json"
	CatalogPath  = "/catalog.json"
)

// Bundle is everything that the catalog function serves.
type Bundle struct {
	SiteURL   string // the site's own address in the documents, without trailing slash
	Documents []Document
	Packages  []Package // all that can be downloaded: those in the documents, and those kept of earlier builds
}

// Document finds the document at a path with a query, "" for the path alone.
func (b *Bundle) Document(path, query string) (*Document, bool) {
	for i := range b.Documents {
		if d := &b.Documents[i]; d.Path == path && d.Query == query {
			return d, true
		}
	}
	return nil, false
}

// Complete returns an error if a document is missing that every bundle must have.
func (b *Bundle) Complete() error {
	for _, path := range []string{EditionsPath, PackagesPath, CatalogPath} {
		if _, ok := b.Document(path, ""); !ok {
			return fmt.Errorf("catalog bundle: it has no %s", path)
		}
	}
	return nil
}

// Document is one prepared response.
type Document struct {
	Path        string // "/packages.json"
	Query       string // "version=6.7", or "" for the path alone
	ContentType string
	Identity    Body
	Gzip        Body
	Brotli      Body
}

// Body is a document in one content coding. Every document has all three.
type Body struct {
	Bytes []byte
	ETag  string // strong and quoted, different per coding (RFC 9110 §8.8.3)
}

// Package is one file that can be downloaded.
type Package struct {
	File      string // "developer-edition-6.7.1.717.zip"
	Edition   string // the edition's key
	Version   string // the product version, "6.7.1"
	Size      int64  // bytes
	SHA256    string // lower-case hex
	Withdrawn string // why it is no longer available, one sentence for people; "" if it is
}

// Encode writes the bundle. Equal bundles give equal bytes.
func (b *Bundle) Encode() []byte {
	var index []byte
	text := func(values ...string) {
		for _, s := range values {
			index = binary.AppendUvarint(index, uint64(len(s)))
			index = append(index, s...)
		}
	}
	number := func(n int) { index = binary.AppendUvarint(index, uint64(n)) }

	text(b.SiteURL)
	number(len(b.Documents))
	size := 0
	for _, d := range b.Documents {
		text(d.Path, d.Query, d.ContentType)
		for _, body := range [...]Body{d.Identity, d.Gzip, d.Brotli} {
			text(body.ETag)
			number(len(body.Bytes))
			size += len(body.Bytes)
		}
	}
	number(len(b.Packages))
	for _, p := range b.Packages {
		text(p.File, p.Edition, p.Version)
		number(int(p.Size))
		text(p.SHA256, p.Withdrawn)
	}

	out := make([]byte, 0, headerSize+len(index)+size)
	out = append(out, magic...)
	out = append(out, 0, 0, 0, 0)
	out = binary.BigEndian.AppendUint32(out, uint32(len(index)))
	out = append(out, index...)
	for _, d := range b.Documents {
		for _, body := range [...]Body{d.Identity, d.Gzip, d.Brotli} {
			out = append(out, body.Bytes...)
		}
	}
	binary.BigEndian.PutUint32(out[len(magic):], crc32.ChecksumIEEE(out[len(magic)+4:]))
	return out
}

// Decode opens a bundle. The bodies are slices of data, which must not change afterwards. A file that is not a bundle,
// is truncated, has surplus bytes or a flipped bit is an error.
func Decode(data []byte) (*Bundle, error) {
	if len(data) < headerSize || string(data[:len(magic)]) != magic {
		return nil, errors.New("catalog bundle: not a bundle of this version")
	}
	if sum := binary.BigEndian.Uint32(data[len(magic):]); sum != crc32.ChecksumIEEE(data[len(magic)+4:]) {
		return nil, errors.New("catalog bundle: damaged or truncated: the checksum differs")
	}
	length := int(binary.BigEndian.Uint32(data[len(magic)+4:]))
	if length > len(data)-headerSize {
		return nil, fmt.Errorf("catalog bundle: index of %d bytes in a file of %d", length, len(data))
	}
	r := reader{index: string(data[headerSize : headerSize+length]), bodies: data[headerSize+length:]}
	b := r.bundle()
	if r.broken || r.index != "" || len(r.bodies) != 0 {
		return nil, errors.New("catalog bundle: the lengths in its index do not fit the file")
	}
	return b, nil
}

// reader reads the index and the bodies from the front. A length that does not fit sets broken, and the rest is empty.
type reader struct {
	index  string
	bodies []byte
	broken bool
}

func (r *reader) bundle() *Bundle {
	b := &Bundle{SiteURL: r.text()}
	b.Documents = make([]Document, r.count())
	for i := range b.Documents {
		d := &b.Documents[i]
		d.Path, d.Query, d.ContentType = r.text(), r.text(), r.text()
		d.Identity, d.Gzip, d.Brotli = r.body(), r.body(), r.body()
	}
	b.Packages = make([]Package, r.count())
	for i := range b.Packages {
		p := &b.Packages[i]
		p.File, p.Edition, p.Version = r.text(), r.text(), r.text()
		p.Size = int64(r.number())
		p.SHA256, p.Withdrawn = r.text(), r.text()
	}
	return b
}

func (r *reader) number() uint64 {
	var n uint64
	for i := 0; i < len(r.index) && i < binary.MaxVarintLen64; i++ {
		c := r.index[i]
		n |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			r.index = r.index[i+1:]
			return n
		}
	}
	r.broken, r.index = true, ""
	return 0
}

// count reads a number of entries. Each needs at least one of the remaining bytes, so a hostile number allocates
// nothing.
func (r *reader) count() int {
	n := r.number()
	if n > uint64(len(r.index)) {
		r.broken = true
		return 0
	}
	return int(n)
}

func (r *reader) text() string {
	n := r.count()
	s := r.index[:n]
	r.index = r.index[n:]
	return s
}

func (r *reader) body() Body {
	etag, n := r.text(), r.number()
	if n > uint64(len(r.bodies)) {
		r.broken = true
		return Body{}
	}
	bytes := r.bodies[:n:n]
	r.bodies = r.bodies[n:]
	return Body{Bytes: bytes, ETag: etag}
}
