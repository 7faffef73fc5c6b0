package client_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"marketplace/shared/license/client"
)

// TestParseMatchesTheJDK gives random texts, as base64 here and as bytes there, to the JDK's own UTF-8 and
// Properties.
func TestParseMatchesTheJDK(t *testing.T) {
	java, err := exec.LookPath("java")
	if err != nil {
		t.Skip("no java on PATH to compare with")
	}
	random := rand.New(rand.NewPCG(3, 4))
	pieces := []string{
		"Edition=", "Plugins=", "Edition", "Plugins:", "developer", "license", "cpp", ",", ",", " ", "\n", "\n", "\r",
		"\\", "\\u0041", "\\u00", "\\n", "#",
		"\u00a0", "\u2003", "\u3000", "é", "😀", "\x00", "\x1c", "\x80", "\xbf", "\xc0", "\xc3", "\xe0", "\xe0\xa0",
		"\xe2\x82", "\xed\xa0", "\xed\xa0\x80", "\xf0\x9f", "\xf0\x9f\x98", "\xf4\x90", "\xff",
	}
	texts := make([][]byte, 20_000)
	var stdin bytes.Buffer
	binary.Write(&stdin, binary.BigEndian, int32(len(texts)))
	for i := range texts {
		text := "Edition="
		for range random.IntN(8) {
			text += pieces[random.IntN(len(pieces))]
		}
		text += "\nPlugins="
		for range random.IntN(12) {
			text += pieces[random.IntN(len(pieces))]
		}
		texts[i] = []byte(text)
		binary.Write(&stdin, binary.BigEndian, int32(len(text)))
		stdin.WriteString(text)
	}

	cmd := exec.Command(java, "testdata/Client.java")
	var stderr strings.Builder
	cmd.Stdin, cmd.Stderr = &stdin, &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("java does not run a source file (it needs JDK 11 or later): %v: %s", err, stderr.String())
	}

	answers := bytes.NewBuffer(out)
	number := func() (n int32) {
		if err := binary.Read(answers, binary.BigEndian, &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	str := func() string { return string(answers.Next(int(number()))) }
	valid := 0
	for _, text := range texts {
		got, ok := client.Parse(base64.StdEncoding.EncodeToString(text))
		size := number()
		if ok != (size >= 0) {
			t.Fatalf("%q: valid for Java: %v; here: %v", text, size >= 0, ok)
		}
		if size < 0 {
			continue
		}
		valid++
		want := client.License{Edition: str()}
		for range size {
			want.Plugins = append(want.Plugins, str())
		}
		if got.Edition != want.Edition || !slices.Equal(got.Plugins, want.Plugins) {
			t.Fatalf("%q: got %q, Java reads %q", text, got, want)
		}
	}
	if valid < len(texts)/10 {
		t.Errorf("only %d of %d texts were licenses", valid, len(texts))
	}
}
