package license

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// twenty returns a set of twenty keys.
func twenty(t *testing.T) (s KeySet) {
	t.Helper()
	for i := range 20 {
		signer, err := GenerateSigner()
		if err != nil {
			t.Fatal(err)
		}
		p := PublicKey{Kid: "production-1" + string(rune('a'+i)), Types: []Type{Production, Staging},
			Key: &signer.PublicKey}
		if i%2 == 0 {
			p.From, p.Through = Date{Year: 2026, Month: 1, Day: 2}, Date{Year: 2027, Month: 3, Day: 4}
			p.Types = []Type{Evaluation}
		}
		s = append(s, p)
	}
	return s
}

func TestCompactSetReadsAsItsJSON(t *testing.T) {
	for _, set := range []KeySet{twenty(t), {}} {
		text, err := set.Compact()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+:,") != "" {
			t.Errorf("%q has characters that a shell or a configuration file changes", text)
		}
		if len(text) > 110*len(set) {
			t.Errorf("%d keys take %d characters", len(set), len(text))
		}
		read, err := ParseKeySet([]byte(text))
		if err != nil || len(read) != len(set) {
			t.Fatalf("read back: %d keys, %v", len(read), err)
		}
		got, _ := json.Marshal(read)
		want, _ := json.Marshal(set)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestDamagedCompactSetIsRefused(t *testing.T) {
	text, err := twenty(t)[:1].Compact()
	if err != nil {
		t.Fatal(err)
	}
	for name, damaged := range map[string]string{
		"cut":             text[:len(text)-1],
		"another point":   text[:len(text)-44] + strings.Repeat("_", 44),
		"another type":    strings.Replace(text, "EVALUATION", "TRIAL", 1),
		"no type":         strings.Replace(text, "EVALUATION", "", 1),
		"another day":     strings.Replace(text, "2026-01-02", "2026-13-02", 1),
		"no Kid":          text[strings.Index(text, ":"):],
		"listed twice":    text + "," + text,
		"an empty key":    text + ",",
		"without a field": strings.Replace(text, "2026-01-02:", "", 1),
		"words":           "hello",
	} {
		if set, err := ParseKeySet([]byte(damaged)); err == nil {
			t.Errorf("%s: %q gave %v", name, damaged, set)
		}
	}
}
