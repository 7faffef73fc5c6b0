package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"marketplace/shared/atomicfile"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// sumsFile lists every file of a publication with its SHA-256, for `sha256sum -c`. By it publish knows its own files.
const sumsFile = "SHA256SUMS"

// replaceFolder replaces out by a folder with the files that fill writes. It returns how many these are, and how many
// other files it carried over. The new folder is complete and on the disk before one rename puts it in place, so a
// failed or killed run leaves either the old folder or the new one. The next run removes what a killed run left beside
// it.
func replaceFolder(out string, fill func(folder string) error) (files, carried int, err error) {
	p, err := openPlace(out)
	if err != nil {
		return 0, 0, err
	}
	defer func() { p.close(err != nil) }()
	if err := p.recover(); err != nil {
		return 0, 0, err
	}
	if _, err := p.others(); err != nil {
		return 0, 0, err
	}
	fresh, err := os.MkdirTemp(p.parent, p.prefix+"new-")
	if err != nil {
		return 0, 0, err
	}
	defer os.RemoveAll(fresh) // after the exchange, this is the old folder
	if err := fill(fresh); err != nil {
		return 0, 0, err
	}
	if files, err = seal(fresh); err != nil {
		return 0, 0, err
	}
	if carried, err = p.carryOver(fresh); err != nil {
		return 0, 0, err
	}
	if err := p.put(fresh, exchange); err != nil {
		return 0, 0, fmt.Errorf("putting the new folder in place: %w", err)
	}
	return files, carried, atomicfile.SyncFolder(p.parent)
}

// place is where the folder goes: locked, so that two runs do not remove each other's unfinished folders.
type place struct {
	path, parent string
	prefix       string   // of the names of unfinished folders
	made         []string // folders above path that this run made, the innermost last
	lock         *os.File
}

func openPlace(out string) (*place, error) {
	path, err := filepath.Abs(out)
	if err != nil {
		return nil, err
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	parent := filepath.Dir(path)
	if parent == path {
		return nil, fmt.Errorf("-out %s: the root of the file system cannot be replaced", out)
	}
	p := &place{path: path, parent: parent, prefix: "." + filepath.Base(path) + ".publish-"}
	for above := parent; !exists(above); above = filepath.Dir(above) {
		p.made = append([]string{above}, p.made...)
	}
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return nil, err
	}
	if p.lock, err = os.Open(parent); err != nil {
		return nil, err
	}
	if err := lockFile(p.lock); err != nil {
		p.close(true)
		return nil, fmt.Errorf("another run is publishing to %s: %w", parent, err)
	}
	return p, nil
}

// close unlocks the place. After a failure it removes the folders that were made for it.
func (p *place) close(failed bool) {
	p.lock.Close()
	for _, folder := range slices.Backward(p.made) {
		if failed {
			os.Remove(folder)
		}
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, os.ErrNotExist)
}

// previous is the path of the old folder during an exchange on systems that cannot swap two folders.
func (p *place) previous() string { return filepath.Join(p.parent, p.prefix+"previous") }

// recover finishes or undoes the work of a killed run.
func (p *place) recover() error {
	if !exists(p.path) {
		if err := os.Rename(p.previous(), p.path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	entries, err := os.ReadDir(p.parent)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), p.prefix) {
			if err := os.RemoveAll(filepath.Join(p.parent, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// others returns the plain files in the folder that publish did not write. A folder, link or device is an error:
// publish writes none.
func (p *place) others() (names []string, err error) {
	entries, err := os.ReadDir(p.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var strange []string
	for _, e := range entries {
		if e.Type().IsRegular() {
			names = append(names, e.Name())
		} else {
			strange = append(strange, e.Name())
		}
	}
	if len(strange) > 0 {
		return nil, fmt.Errorf("%s contains %s, which publish did not write and cannot keep because it is not a plain "+
			"file: move it elsewhere first", p.path, strings.Join(strange, " and "))
	}
	ours, err := ownFiles(p.path)
	return slices.DeleteFunc(names, func(name string) bool { return slices.Contains(ours, name) }), err
}

// carryOver copies the others into the new folder, except those whose name it uses itself.
func (p *place) carryOver(fresh string) (carried int, err error) {
	names, err := p.others()
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		target := filepath.Join(fresh, name)
		if exists(target) {
			continue
		}
		if err := copyFile(target, filepath.Join(p.path, name)); err != nil {
			return 0, fmt.Errorf("keeping %s: %w", name, err)
		}
		carried++
	}
	return carried, atomicfile.SyncFolder(fresh)
}

// copyFile copies a file with its mode and time, and syncs the copy.
func copyFile(target, source string) error {
	in, err := os.Open(source)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	if err := out.Chmod(info.Mode()); err != nil {
		return err
	}
	if err := os.Chtimes(target, time.Time{}, info.ModTime()); err != nil {
		return err
	}
	return out.Sync()
}

// ownFiles returns the names of the files in a folder that publish wrote. A list of sums without the documents of every
// publication was written by something else.
func ownFiles(folder string) ([]string, error) {
	names, err := listedNames(filepath.Join(folder, sumsFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if !slices.Contains(names, editionsFile) || !slices.Contains(names, catalogFile) {
		return nil, err
	}
	return append(names, sumsFile), err
}

// listedNames returns the names in a file of sums.
func listedNames(path string) ([]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var names []string
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if _, name, ok := strings.Cut(lines.Text(), "  "); ok {
			names = append(names, name)
		}
	}
	return names, lines.Err()
}

// seal writes the sums of a folder's files and syncs it all. It returns the number of files.
func seal(folder string) (files int, err error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return 0, err
	}
	var sums strings.Builder
	for _, e := range entries {
		sum, err := sumFile(filepath.Join(folder, e.Name()))
		if err != nil {
			return 0, err
		}
		fmt.Fprintf(&sums, "%s  %s\n", sum, e.Name())
	}
	path := filepath.Join(folder, sumsFile)
	if err := os.WriteFile(path, []byte(sums.String()), 0o644); err != nil {
		return 0, err
	}
	if _, err := sumFile(path); err != nil {
		return 0, err
	}
	if err := os.Chmod(folder, 0o755); err != nil {
		return 0, err
	}
	return len(entries) + 1, atomicfile.SyncFolder(folder)
}

// sumFile syncs a file and returns its SHA-256.
func sumFile(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), file.Sync()
}

// put moves fresh to p.path, and what was there to fresh. exchange swaps two folders in one step, on systems that can.
func (p *place) put(fresh string, exchange func(a, b string) error) error {
	if !exists(p.path) {
		return os.Rename(fresh, p.path)
	}
	err := exchange(fresh, p.path)
	if !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	// For a moment nothing is at p.path. A run killed just then leaves both folders whole, and the next one restores
	// the old one.
	if err := os.Rename(p.path, p.previous()); err != nil {
		return err
	}
	if err := os.Rename(fresh, p.path); err != nil {
		return errors.Join(err, os.Rename(p.previous(), p.path))
	}
	return os.Rename(p.previous(), fresh)
}
