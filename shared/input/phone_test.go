package input

import "testing"

func TestPhoneTakesWhatPeopleWrite(t *testing.T) {
	for typed, want := range map[string]string{
		"": "", "+41 22 555 01 23": "+41 22 555 01 23", "(555) 555-0123": "(555) 555-0123",
		"+41\u00a022\u00a0555\u00a001\u00a023": "+41 22 555 01 23", "\u202a+41 22 555 01 23\u202c": "+41 22 555 01 23",
		"555‑555‒01–23": "555-555-01-23", "555 0123 Ext 12": "555 0123 Ext 12", "555.0123, extension 12": "555.0123, extension 12",
		"0123 / 45 67": "0123 / 45 67", "\u200b": "",
	} {
		if got, err := Phone(typed); err != nil || got != want {
			t.Errorf("Phone(%q) = %q, %v, want %q", typed, got, err, want)
		}
	}
	for _, bad := range []string{"call me", "12", "555\n0123", "0123456789012345678901234567890123456789 1", "555\x000123"} {
		if got, err := Phone(bad); err == nil {
			t.Errorf("Phone(%q) = %q, want an error", bad, got)
		}
	}
}
