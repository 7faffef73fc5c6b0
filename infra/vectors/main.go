// Command vectors writes the test vectors for authors of license plugins: shared/license/testdata/vectors.json,
// described in shared/license/testdata/README.md.
//
//	go run ./infra/vectors
//
// The expectations are written by hand, not taken from the code under test. The private keys are public knowledge, and
// signing is deterministic (RFC 6979), so each run writes the same bytes. java/ contains a verifier that needs only
// Java 8 and this pack.
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
