package web

import (
	"errors"
	"io/fs"
)

// Layers are the files of several folders, for NewPages: of a name that several have, the first's.
type Layers []fs.FS

// Open implements fs.FS.
func (l Layers) Open(name string) (f fs.File, err error) {
	err = &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	for _, files := range l {
		if f, err = files.Open(name); !errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
	}
	return nil, err
}
