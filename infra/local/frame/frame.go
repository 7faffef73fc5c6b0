// Package frame has what surrounds every page of the local server that is not a part of the product: the outbox, the
// clock, the sign-in.
package frame

import (
	"embed"
	"io/fs"
)

//go:embed templates
var templates embed.FS

// Around returns the pages of a site, for web.NewPages, with the frame as their templates/site.html.
func Around(pages fs.FS) fs.FS { return framed{pages} }

type framed struct{ fs.FS }

// Open implements fs.FS.
func (f framed) Open(name string) (fs.File, error) {
	if name == "templates/site.html" {
		return templates.Open(name)
	}
	return f.FS.Open(name)
}
