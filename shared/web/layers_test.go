package web

import (
	"errors"
	"io/fs"
	"testing"
	"testing/fstest"
)

func TestLayersHaveTheFirstFileOfAName(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	layers := Layers{fstest.MapFS{"a": file("1a")}, fstest.MapFS{"a": file("2a"), "b": file("2b")}}
	for name, want := range map[string]string{"a": "1a", "b": "2b"} {
		if got, err := fs.ReadFile(layers, name); err != nil || string(got) != want {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, want)
		}
	}
	for _, layers := range []Layers{layers, nil} {
		if _, err := layers.Open("c"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v, want fs.ErrNotExist", err)
		}
	}
}
