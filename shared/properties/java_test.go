package properties_test

import (
	"bytes"
	"encoding/binary"
	"maps"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"marketplace/shared/properties"
)

// TestParseMatchesTheJDK gives the table and random texts to java.util.Properties itself.
func TestParseMatchesTheJDK(t *testing.T) {
	java, err := exec.LookPath("java")
	if err != nil {
		t.Skip("no java on PATH to compare with")
	}
	var inputs []string
	for _, test := range texts {
		inputs = append(inputs, test.text)
	}
	random := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"a", "b", "=", ":", " ", "\t", "\f", "\n", "\r", "\r\n", "\\", "\\", "#", "!", "u", "\\u",
		"00", "e9", "D83D", "\\uDE00", "é", "😀", "\x00", "\v", "\u0085"}
	for range 20_000 {
		var text strings.Builder
		for range random.IntN(16) {
			text.WriteString(pieces[random.IntN(len(pieces))])
		}
		inputs = append(inputs, text.String())
	}

	var stdin bytes.Buffer
	for _, text := range inputs {
		binary.Write(&stdin, binary.BigEndian, int32(len(text)))
		stdin.WriteString(text)
	}
	cmd := exec.Command(java, "testdata/Load.java")
	var stderr strings.Builder
	cmd.Stdin, cmd.Stderr = &stdin, &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("java does not run a source file (it needs JDK 11 or later): %v: %s", err, stderr.String())
	}

	answers := bytes.NewReader(out)
	number := func() (n int32) {
		if err := binary.Read(answers, binary.BigEndian, &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	str := func() string {
		b := make([]byte, number())
		if _, err := answers.Read(b); err != nil && len(b) > 0 {
			t.Fatal(err)
		}
		return string(b)
	}
	for _, text := range inputs {
		size := number()
		got, err := properties.Parse(text)
		if malformed := size < 0; malformed != (err != nil) {
			t.Fatalf("%q: Java finds it malformed: %v; here: %v", text, malformed, err)
		}
		if size < 0 {
			continue
		}
		want := make(map[string]string)
		for range size {
			key := str()
			want[key] = str()
		}
		if !maps.Equal(maps.Collect(got.All()), want) {
			t.Fatalf("%q: got %q, Java reads %q", text, maps.Collect(got.All()), want)
		}
	}
}
