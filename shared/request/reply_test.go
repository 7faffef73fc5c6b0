package request

import (
	"slices"
	"strings"
	"testing"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/license"
)

func TestReplyIsFilledIn(t *testing.T) {
	r := Request{Reference: "R-7K3Q9F", Created: time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC), Details: Details{
		Kind: Renewal, Edition: license.Developer, Server: "AWHW8w9JtzBzSrmf9GQX", Loc: 120_000, Name: "Ada\nLovelace",
		Company: "{reference} Ltd",
	}}
	reply := Reply{Text: "{reference} {kind}, {edition}, {received}:\n{server ID} {lines of code} {name}, " +
		"{company}} {name}"}
	text, left := reply.Filled(r)
	if text != "R-7K3Q9F Renewal, Developer Edition, 30 Nov 2026:\n  , } " ||
		!slices.Equal(left, []string{"server ID", "lines of code", "name", "company"}) {
		t.Errorf("unconfirmed: got %q without %q, want nothing that was typed", text, left)
	}
	r.Confirmed = r.Created
	text, left = reply.Filled(r)
	want := "R-7K3Q9F Renewal, Developer Edition, 30 Nov 2026:\nAWHW8w9JtzBzSrmf9GQX " + r.Counted() +
		" Ada Lovelace, {reference} Ltd} Ada Lovelace"
	if text != want || len(left) > 0 {
		t.Errorf("got %q without %q, want %q", text, left, want)
	}
}

func TestUnknownPlaceholderIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "none }": "", "{reference}{name}": "", "{phone}": "{phone}", "a {reference": "Close", "{}": "There is no",
		"{ref{name}": "Close", "{server\nID}": "Close", "{Reference}": "{Reference}", "{{name}}": "Close",
	} {
		err := CheckReply(text)
		said := ""
		if err != nil {
			said = fault.Sentence(err)
		}
		if (want == "") != (err == nil) || err != nil && (fault.KindOf(err) != fault.Invalid ||
			!strings.Contains(said, want) || !strings.Contains(said, "{lines of code}")) {
			t.Errorf("%q: got %v, want it to say %q and the placeholders that exist", text, err, want)
		}
	}
}
