package token

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestNewTokensDiffer(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Kinds {
		for range 3 {
			made := k.New()
			if !regexp.MustCompile(`^[A-Z2-7]{26}$`).MatchString(made) || len(made) != Length || seen[made] {
				t.Errorf("%s: got token %q, want 26 characters of base32 that are not drawn twice", k, made)
			}
			seen[made] = true
		}
	}
}

func TestReadFindsTokenAsLinksArrive(t *testing.T) {
	made := Status.New()
	for _, arrived := range []string{made, strings.ToLower(made), made + ".", "<" + made + ">", "\u200b" + made + "\u00a0",
		"3D" + made, "=3D" + made, made[:10] + "=\r\n" + made[10:], " " + made + ") "} {
		if got := Status.Read(arrived); got != made {
			t.Errorf("Read(%q) = %q, want %q", arrived, got, made)
		}
	}
	begins := "3D" + strings.Repeat("A", Length-2)
	for _, arrived := range []string{begins, begins + ").", "<" + begins + ">", "3D" + begins, "(3D" + begins + ")",
		"=3D" + begins, begins + "=3D"} {
		if got := Status.Read(arrived); got != begins {
			t.Errorf("Read(%q) = %q, want %q: 3D is the beginning of the token", arrived, got, begins)
		}
	}
	holds := strings.Repeat("A", 10) + "3D" + strings.Repeat("A", Length-12)
	for _, arrived := range []string{holds[:10] + "=" + holds[10:], holds[:10] + "=\r\n" + holds[10:], "=3D" + holds,
		"=3D" + holds[:10] + "=" + holds[10:]} {
		if got := Status.Read(arrived); got != holds {
			t.Errorf("Read(%q) = %q, want %q: 3D in the middle is the token's", arrived, got, holds)
		}
	}
	for _, none := range []string{"", " ", "=3D", "!\u200b"} {
		if got := Status.Read(none); got != "" {
			t.Errorf("Read(%q) = %q, want none", none, got)
		}
	}
}

func TestNoTokenIsNeverTheSame(t *testing.T) {
	made := Answer.New()
	if !Answer.Same(made, made) {
		t.Error("a token is not the same as itself")
	}
	for _, other := range []string{"", made[1:], made + "A", strings.ToLower(made), Answer.New()} {
		if Answer.Same(made, other) || Answer.Same(other, made) {
			t.Errorf("%q is the same as %q", other, made)
		}
	}
	if Answer.Same("", "") {
		t.Error("no token is the same as no token")
	}
}

func TestKindsDiffer(t *testing.T) {
	sorted := slices.Sorted(slices.Values(Kinds))
	if len(slices.Compact(sorted)) != len(Kinds) {
		t.Errorf("got kinds %q, want each once", Kinds)
	}
}
