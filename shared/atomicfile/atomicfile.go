// Package atomicfile replaces a file as a whole: anyone who reads it, even after a power failure, sees the old content
// or the new. For that the content is on the disk before it gets its name, and the folder with the name is too.
package atomicfile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// unfinished ends the names of files without their own.
const unfinished = ".part"

// File is a file that does not have its name yet. Write to it, then Commit; Close without that leaves the old content.
type File struct {
	*os.File
	root      *os.Root
	ownsRoot  bool
	temporary string
	name      string
	done      bool
}

// Create begins a new content of the file at path.
func Create(path string, mode fs.FileMode) (*File, error) {
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	f, err := CreateIn(root, filepath.Base(path), mode)
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	f.ownsRoot = true
	return f, nil
}

// CreateIn is Create for a name directly in an open folder.
func CreateIn(root *os.Root, name string, mode fs.FileMode) (*File, error) {
	temporary := "." + name + "." + rand.Text() + unfinished
	file, err := root.OpenFile(temporary, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	f := &File{File: file, root: root, temporary: temporary, name: name}
	if err := file.Chmod(mode); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Commit brings the content to the disk and gives it its name. The File is closed afterwards, whether it succeeds or
// not.
func (f *File) Commit() error {
	err := f.Sync()
	if err == nil {
		err = f.File.Close()
	}
	if err == nil {
		err = f.root.Rename(f.temporary, f.name)
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	f.done = true
	folder, err := f.root.Open(".")
	if err == nil {
		err = errors.Join(folder.Sync(), folder.Close())
	}
	return errors.Join(err, f.closeRoot())
}

// Close drops the content, unless it was committed: then it does nothing, so that it can be deferred.
func (f *File) Close() error {
	if f.done {
		return nil
	}
	f.done = true
	if err := f.File.Close(); err != nil && !errors.Is(err, fs.ErrClosed) {
		return errors.Join(err, f.root.Remove(f.temporary), f.closeRoot())
	}
	return errors.Join(f.root.Remove(f.temporary), f.closeRoot())
}

func (f *File) closeRoot() error {
	if !f.ownsRoot {
		return nil
	}
	f.ownsRoot = false
	return f.root.Close()
}

// Write replaces the file at path.
func Write(path string, data []byte, mode fs.FileMode) error {
	f, err := Create(path, mode)
	return write(f, err, path, data)
}

// WriteIn is Write for a name directly in an open folder.
func WriteIn(root *os.Root, name string, data []byte, mode fs.FileMode) error {
	f, err := CreateIn(root, name, mode)
	return write(f, err, name, data)
}

func write(f *File, err error, name string, data []byte) error {
	if err == nil {
		defer f.Close()
		if _, err = f.Write(data); err == nil {
			err = f.Commit()
		}
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}

// RemoveUnfinished removes the files that a killed process left without their names, in a folder and those below it. No
// other process may write there at the time.
func RemoveUnfinished(folder string) error {
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || filepath.Ext(path) != unfinished {
			return err
		}
		return os.Remove(path)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// SyncFolder brings the names in a folder to the disk.
func SyncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
