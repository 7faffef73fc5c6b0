package license_test

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/license/client"
	"marketplace/shared/properties"
)

// vectors is the part of testdata/vectors.json that the tests read; infra/vectors writes the file.
type vectors struct {
	Format  int
	KeySet  license.KeySet
	Vectors []struct {
		Name     string
		Text     string
		Instance struct {
			Server  license.Server
			Loc     int64
			Edition license.Edition
			Plugins []string
			Now     time.Time
		}
		Reasons  []license.Code
		Warnings []license.Code
		Terms    map[string]string
		Client   *client.License
		Unmangle *struct {
			Text    string
			Undone  []string
			Reasons []license.Code
		}
	}
}

func readVectors(t testing.TB) vectors {
	t.Helper()
	data, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func codes(reasons []license.Reason) []license.Code {
	list := []license.Code{}
	for _, r := range reasons {
		list = append(list, r.Code)
	}
	return list
}

func TestVectors(t *testing.T) {
	pack := readVectors(t)
	for _, v := range pack.Vectors {
		t.Run(v.Name, func(t *testing.T) {
			at := license.Instance{Server: v.Instance.Server, Loc: v.Instance.Loc, Edition: v.Instance.Edition,
				Plugins: v.Instance.Plugins, Now: v.Instance.Now}
			got := license.Evaluate(v.Text, at, pack.KeySet)
			if !slices.Equal(codes(got.Reasons), v.Reasons) || !slices.Equal(codes(got.Warnings), v.Warnings) {
				t.Errorf("reasons %v, warnings %v; want %v, %v", got.Reasons, got.Warnings, v.Reasons, v.Warnings)
			}
			for _, r := range slices.Concat(got.Reasons, got.Warnings) {
				if r.Sentence == "" || r.Remedy == "" || strings.Contains(r.Sentence+r.Remedy, "$") {
					t.Errorf("%+v is not for a person", r)
				}
			}
			if (got.Key == nil) != (v.Terms == nil) {
				t.Fatalf("key %+v, want %v", got.Key, v.Terms)
			}
			if got.Key != nil {
				props, err := properties.Parse(string(got.Key.Canonical()))
				if terms := maps.Collect(props.All()); err != nil || !maps.Equal(terms, v.Terms) {
					t.Errorf("terms %q, want %q", terms, v.Terms)
				}
			}
			read, ok := client.Parse(v.Text)
			if ok != (v.Client != nil) || ok &&
				(read.Edition != v.Client.Edition || !slices.Equal(read.Plugins, v.Client.Plugins)) {
				t.Errorf("the open-source server reads %+v, want %+v", read, v.Client)
			}

			text, undone := license.Unmangle(v.Text)
			if v.Unmangle == nil {
				if got.Valid() && (text != strings.TrimSpace(v.Text) || len(undone) > 0) {
					t.Errorf("unmangled a key that is whole: %q, %v", text, undone)
				}
				return
			}
			var names []string
			for _, u := range undone {
				names = append(names, u.Code)
			}
			if text != v.Unmangle.Text || !slices.Equal(names, v.Unmangle.Undone) {
				t.Errorf("unmangled %v: %q; want %v: %q", names, text, v.Unmangle.Undone, v.Unmangle.Text)
			}
			if got := license.Evaluate(text, at, pack.KeySet); !slices.Equal(codes(got.Reasons), v.Unmangle.Reasons) {
				t.Errorf("unmangled, it has the reasons %v, want %v", got.Reasons, v.Unmangle.Reasons)
			}
		})
	}
}

func TestVectorsHaveEveryCodeAndMangling(t *testing.T) {
	seen := make(map[string]bool)
	for _, v := range readVectors(t).Vectors {
		if seen["name "+v.Name] {
			t.Errorf("two vectors are called %q", v.Name)
		}
		seen["name "+v.Name] = true
		for _, c := range slices.Concat(v.Reasons, v.Warnings) {
			seen[string(c)] = true
		}
		if v.Unmangle != nil {
			for _, u := range v.Unmangle.Undone {
				seen[u] = true
			}
		}
	}
	for _, c := range license.Codes() {
		if !seen[string(c)] {
			t.Errorf("no vector has the code %s", c)
		}
	}
	for _, m := range license.Manglings() {
		if !seen[m.Code] {
			t.Errorf("no vector has the mangling %s", m.Code)
		}
	}
}

var tableRow = regexp.MustCompile("(?m)^\\| `([a-z0-9-]+)` \\|")

func TestREADMEListsEveryCodeInOrder(t *testing.T) {
	readme, err := os.ReadFile("testdata/README.md")
	if err != nil {
		t.Fatal(err)
	}
	var listed, want []string
	for _, row := range tableRow.FindAllStringSubmatch(string(readme), -1) {
		listed = append(listed, row[1])
	}
	for _, c := range license.Codes() {
		want = append(want, string(c))
	}
	for _, m := range license.Manglings() {
		want = append(want, m.Code)
	}
	if !slices.Equal(listed, want) {
		t.Errorf("README lists %v,\nthe code has %v", listed, want)
	}
	if !strings.Contains(string(readme), strings.TrimSpace(license.Domain)) {
		t.Error("README does not tell the domain")
	}
}

// FuzzUnmangle begins with the text of every vector, and with each key in it.
func FuzzUnmangle(f *testing.F) {
	pack := readVectors(f)
	signed := make(map[string]bool) // whole key texts
	for _, v := range pack.Vectors {
		for begins := 0; ; { // a text may hold several keys
			rest := v.Text[begins:]
			f.Add(rest)
			text, _ := license.Unmangle(rest)
			signed[text] = true
			next := strings.Index(rest[min(1, len(rest)):], "Rm9ybWF0P")
			if next < 0 {
				break
			}
			begins += 1 + next
		}
	}
	f.Fuzz(func(t *testing.T, pasted string) {
		text, _ := license.Unmangle(pasted)
		if _, err := license.Verify(text, pack.KeySet); err == nil && !signed[text] {
			t.Errorf("%q became a key that was never signed: %q", pasted, text)
		}
		if again, undone := license.Unmangle(text); again != text {
			t.Errorf("%q became %q, and that %q, %v", pasted, text, again, undone)
		}
		license.Evaluate(pasted, license.Instance{Server: "AWHW8w9JtzBzSrmf9GQX", Loc: 1}, pack.KeySet)
	})
}
