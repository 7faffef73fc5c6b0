// Package archive builds the ZIP of a package from a folder of jars: flat, entries by name, stored as they are, with fixed times
// and modes, so that the same jars give the same bytes. Each jar must be, by its manifest, the plugin and release that are meant.
//
// Which jars belong to a package is decided by package catalog.
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
)

// Result is what is to be known of a package that was built.
type Result struct {
	Size   int64
	SHA256 string // lower-case hex
}

// Build writes the package that holds the jars, found in folder, to the file path. It appears there whole or not at all, whenever
// the process ends; bringing it to the disk is the caller's. However large the jars are, memory stays flat. The error joins one error per jar that is missing or not the one meant.
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

// check reads every jar once: the ZIP's headers need sizes and checksums before the contents, or the Java reader of stored entries
// refuses it.
func check(folder string, jars []catalog.Jar) ([]entry, error) {
	if len(jars) == 0 {
		return nil, errors.New("it holds no jar")
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
			faults = append(faults, fmt.Errorf("%s and %s are both of plugin %s: a server with both does not start", other, jar.File, jar.Plugin))
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
			faults = append(faults, fmt.Errorf("jar %s is in it twice", entries[i].name))
		}
	}
	return entries, errors.Join(faults...)
}

func checkFile(path string, jar catalog.Jar) (entry, error) {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return entry{}, fmt.Errorf("it is missing in %s", filepath.Dir(path))
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

// write makes the ZIP beside its place and moves it there.
func write(path, folder string, entries []entry) (result Result, err error) {
	temporary, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return result, err
	}
	defer func() {
		if err != nil {
			os.Remove(temporary.Name())
		}
	}()
	defer temporary.Close()

	sum := sha256.New()
	out := zip.NewWriter(io.MultiWriter(temporary, sum))
	for _, e := range entries {
		if err := copyEntry(out, folder, e); err != nil {
			return result, err
		}
	}
	if err := out.Close(); err != nil {
		return result, err
	}
	if result.Size, err = temporary.Seek(0, io.SeekCurrent); err != nil {
		return result, err
	}
	result.SHA256 = hex.EncodeToString(sum.Sum(nil))
	if err := temporary.Chmod(0o644); err != nil {
		return result, err
	}
	if err := temporary.Close(); err != nil {
		return result, err
	}
	return result, os.Rename(temporary.Name(), path)
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
