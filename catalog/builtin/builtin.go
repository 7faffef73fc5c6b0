// Package builtin is the bundle that is built into the functions. The committed one is made from catalog/data for a
// site on the local machine; the build of a deployment replaces it (go build -overlay, see the Makefile).
// shared/livecatalog gets what is published after the build.
package builtin

import (
	_ "embed"

	"marketplace/catalog/bundle"
)

//go:generate go run ../../infra/ops bundle -metadata ../data -site-url http://localhost:8080 -build 1042 -sample-jars -out bundle.bin

//go:embed bundle.bin
var file []byte

// Bundle opens the bundle, in microseconds.
func Bundle() (*bundle.Bundle, error) { return bundle.Decode(file) }
