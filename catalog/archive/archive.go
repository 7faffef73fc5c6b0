// Package archive builds the ZIP of a package from a folder of jars: flat, sorted by name, uncompressed, with fixed
// times and modes, so that the same jars give the same bytes. The manifest of each jar must name the expected plugin
// and release.
//
// Package catalog decides which jars belong to a package.
package archive

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"marketplace/catalog"
	"marketplace/shared/atomicfile"
)

// Result describes a package that was built.
type Result struct {
	Size   int64
	SHA256 string // lower-case hex
}

// Build writes a package of the jars in folder to the file path, which appears whole or not at all, whenever the
// process ends. Memory stays flat, however large the jars are. The error joins one error per jar that is missing or not
// the expected one.
func Build(path, folder string, jars []catalog.Jar) (Result, error) {
	entries, err := check(folder, jars)
	if err != nil {
		return Result{}, fmt.Errorf("package %s: %w", filepath.Base(path), err)
	}
	result, err := write(path, folder, entries)
	if err != nil {
		return Result{}, fmt.Errorf("package %s: %w", filepath.Base(path), err)
	}
	return result, nil
}

// entry is a jar that passed every check.
type entry struct {
	name string
	size int64
	crc  uint32
}

// check reads every jar once: the ZIP's headers need sizes and checksums before the contents, or Java refuses the
// stored entries.
func check(folder string, jars []catalog.Jar) ([]entry, error) {
	if len(jars) == 0 {
		return nil, errors.New("it has no jar")
	}
	var entries []entry
	var faults []error
	plugins := make(map[string]string)
	for _, jar := range jars {
		if !jar.Plain() {
			faults = append(faults, fmt.Errorf("%q is not the plain name of a jar", jar.File))
			continue
		}
		if other, ok := plugins[jar.Plugin]; ok {
			faults = append(faults, fmt.Errorf("%s and %s both belong to plugin %s: a server with both does not start",
				other, jar.File, jar.Plugin))
			continue
		}
		plugins[jar.Plugin] = jar.File
		e, err := checkFile(filepath.Join(folder, jar.File), jar)
		if err != nil {
			faults = append(faults, fmt.Errorf("jar %s: %w", jar.File, err))
			continue
		}
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	for i := 1; i < len(entries); i++ {
		if entries[i].name == entries[i-1].name {
			faults = append(faults, fmt.Errorf("jar %s is listed twice", entries[i].name))
		}
	}
	return entries, errors.Join(faults...)
}

func checkFile(path string, jar catalog.Jar) (entry, error) {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return entry{}, fmt.Errorf("not found in %s", filepath.Dir(path))
	}
	if err != nil {
		return entry{}, err
	}
	if !info.Mode().IsRegular() {
		return entry{}, errors.New("it is not a file")
	}
	file, err := os.Open(path)
	if err != nil {
		return entry{}, err
	}
	defer file.Close()
	if err := checkJar(file, info.Size(), jar); err != nil {
		return entry{}, err
	}
	sum := crc32.NewIEEE()
	size, err := io.Copy(sum, file)
	return entry{name: jar.File, size: size, crc: sum.Sum32()}, err
}

// write puts the ZIP at path once it is whole.
func write(path, folder string, entries []entry) (result Result, err error) {
	file, err := atomicfile.Create(path, 0o644)
	if err != nil {
		return result, err
	}
	defer file.Close()

	sum := sha256.New()
	out := zip.NewWriter(io.MultiWriter(file, sum))
	for _, e := range entries {
		if err := copyEntry(out, folder, e); err != nil {
			return result, err
		}
	}
	if err := out.Close(); err != nil {
		return result, err
	}
	if result.Size, err = file.Seek(0, io.SeekCurrent); err != nil {
		return result, err
	}
	result.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return result, file.Commit()
}

// firstDay is 1 January 1980, the earliest date that a ZIP can hold.
const firstDay = 1<<5 | 1

func copyEntry(out *zip.Writer, folder string, e entry) error {
	header := &zip.FileHeader{
		Name:   e.name,
		Method: zip.Store,
		//lint:ignore SA1019 CreateRaw takes the date from here, not from Modified
		ModifiedDate:       firstDay,
		CRC32:              e.crc,
		CompressedSize64:   uint64(e.size),
		UncompressedSize64: uint64(e.size),
	}
	header.SetMode(0o644)
	w, err := out.CreateRaw(header)
	if err != nil {
		return err
	}
	file, err := os.Open(filepath.Join(folder, e.name))
	if err != nil {
		return err
	}
	defer file.Close()
	sum := crc32.NewIEEE()
	size, err := io.Copy(io.MultiWriter(w, sum), file)
	if err == nil && (size != e.size || sum.Sum32() != e.crc) {
		err = fmt.Errorf("jar %s changed while the package was made", e.name)
	}
	return err
}
