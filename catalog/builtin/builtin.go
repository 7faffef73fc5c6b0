// Package builtin is the bundle that is built into the functions. The committed one is made from catalog/data for a site on this
// machine; the build of a deployment puts its own in its place (go build -overlay, see the Makefile). What is published after the
// build is for shared/livecatalog.
package builtin

import (
	_ "embed"

	"marketplace/catalog/bundle"
)

//go:generate go run ../../infra/ops bundle -metadata ../data -site-url http://localhost:8080 -build 1042 -sample-jars -out bundle.bin

//go:embed bundle.bin
var file []byte

// Bundle opens the bundle. It costs microseconds.
func Bundle() (*bundle.Bundle, error) { return bundle.Decode(file) }
