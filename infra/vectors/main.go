// Command vectors writes the test vectors for authors of license plugins: shared/license/testdata/vectors.json, which
// shared/license/testdata/README.md describes.
//
//	go run ./infra/vectors
//
// What a vector expects is written here by hand and not asked of the code that it tests. The keys are signed with
// private keys that anybody can derive, and deterministically (RFC 6979), so that each run writes the same bytes. java/
// holds a verifier that uses nothing but Java 8 and this pack.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
)

func main() {
	out := flag.String("out", "shared/license/testdata/vectors.json", "the `file` to write")
	flag.Parse()
	data, err := marshal(newPack())
	if err == nil {
		err = os.WriteFile(*out, data, 0o666)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "vectors:", err)
		os.Exit(1)
	}
}

func marshal(p pack) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(p); err != nil {
		return nil, fmt.Errorf("writing the pack: %w", err)
	}
	return out.Bytes(), nil
}
