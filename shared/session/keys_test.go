package session

import (
	"encoding/base64"
	"strings"
	"testing"
)

func TestRotatedKeysOpenOldCookies(t *testing.T) {
	first, second := NewKey(), NewKey()
	keys := func(list string) Keys {
		t.Helper()
		k, err := ParseKeys(list)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	old, both, swapped, new := keys(first), keys(first+", "+second), keys(second+","+first), keys(second)
	for _, tt := range []struct {
		name       string
		seal, open Keys
		ok         bool
	}{
		{"the same", old, old, true},
		{"prepared", old, both, true},
		{"prepared elsewhere", both, old, true},
		{"swapped", both, swapped, true},
		{"swapped, seals with the new one", swapped, new, true},
		{"swapped, no more with the old one", swapped, old, false},
		{"taken away", old, new, false},
	} {
		data, err := tt.open.Open("p", tt.seal.Seal("p", []byte("data")))
		if (err == nil) != tt.ok || tt.ok && string(data) != "data" {
			t.Errorf("%s: %q %v", tt.name, data, err)
		}
	}
	whole := old.Seal("p", []byte("data"))
	for _, broken := range []string{"\n" + whole, whole[:4] + "\r\n" + whole[4:], whole + "\n"} {
		if _, err := old.Open("p", broken); err == nil {
			t.Errorf("%q opens", broken)
		}
	}
	if whole == old.Seal("p", []byte("data")) {
		t.Error("sealed twice, the same")
	}
}

func TestParseKeysRefusesInvalidKeys(t *testing.T) {
	good := NewKey()
	for name, list := range map[string]string{
		"nothing": "", "too short": base64.StdEncoding.EncodeToString(make([]byte, 16)),
		"too long":  base64.StdEncoding.EncodeToString(make([]byte, 33)),
		"no base64": "$$$secret$$$", "an empty one": good + ",",
	} {
		if _, err := ParseKeys(list); err == nil || list != "" && strings.Contains(err.Error(), list) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
