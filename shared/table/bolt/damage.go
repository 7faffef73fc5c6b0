package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// errDamaged means that a file is no table, or no longer a whole one.
var errDamaged = errors.New("is damaged or was cut off")

// open opens a file. bbolt maps it into memory and reads the pages that its header names, so that a file which was cut
// off ends the process; here it is an error.
func open(path string) (db *bbolt.DB, err error) {
	if err := checkSize(path); err != nil {
		return nil, err
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			db, err = nil, fmt.Errorf("%w (%v)", errDamaged, r)
		}
	}()
	db, err = bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second, FreelistType: bbolt.FreelistMapType})
	for _, invalid := range []error{berrors.ErrInvalid, berrors.ErrVersionMismatch, berrors.ErrChecksum} {
		if errors.Is(err, invalid) {
			return nil, fmt.Errorf("%w (%v)", errDamaged, err)
		}
	}
	return db, err
}

// A file of bbolt begins with two pages, each a header of 16 bytes and the meta data of a transaction: magic number,
// version, page size and flags of four bytes each, then root, sequence, freelist, number of pages and transaction ID of
// eight each.
const (
	magic        = 0xED0CDAED
	metaAt       = 16
	pageSizeAt   = metaAt + 8
	pagesAt      = metaAt + 40
	metaSize     = metaAt + 64
	maxPageSize  = 64 << 10
	smallestFile = 4 // pages
)

// checkSize is errDamaged for a file that is shorter than the pages in use.
func checkSize(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return err // an empty file is a new one
	}
	var pages, size uint64
	for range 2 { // the second header is where the first one's page ends
		head := make([]byte, metaSize)
		if _, err := f.ReadAt(head, int64(size)); err != nil {
			return fmt.Errorf("%w (%d bytes)", errDamaged, info.Size())
		}
		if binary.NativeEndian.Uint32(head[metaAt:]) != magic {
			return nil // bbolt reads the other header, and checks both
		}
		if size == 0 {
			size = uint64(min(binary.NativeEndian.Uint32(head[pageSizeAt:]), maxPageSize))
		}
		pages = max(pages, binary.NativeEndian.Uint64(head[pagesAt:]), smallestFile)
	}
	if uint64(info.Size()) < pages*size {
		return fmt.Errorf("%w (%d bytes instead of %d)", errDamaged, info.Size(), pages*size)
	}
	return nil
}
