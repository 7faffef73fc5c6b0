package request

import (
	"errors"
	"strings"
	"testing"

	"marketplace/shared/fault"
	"marketplace/shared/license"
)

func recorded(t *testing.T) Request {
	t.Helper()
	d, err := validForm().Accept()
	if err != nil {
		t.Fatal(err)
	}
	return Request{Details: d}
}

func TestFormOfARequestAsItIsCorrectsNothing(t *testing.T) {
	renewal := recorded(t)
	renewal.Kind, renewal.Loc, renewal.ProductVersion, renewal.Country = Renewal, 0, "", ""
	renewal.WantedLoc, renewal.Link, renewal.Bound = 500_000, &Link{Contact: renewal.Email}, true
	for _, r := range []Request{recorded(t), renewal} {
		d, err := CorrectionOf(r).Accept(r)
		if err != nil || d.Fingerprint() != r.Fingerprint() {
			t.Errorf("%s: got %+v, %v; want it as it was", r.Kind, d, err)
		}
	}
}

func TestCorrectionTakesWhatTheFormTakes(t *testing.T) {
	r := recorded(t)
	f := CorrectionOf(r)
	f.Server, f.Loc, f.ProductVersion, f.Message = " AWHW8w9JtzBzSrmf9GQY ", "1,200,000", "7.1 (build 1)", "Sorry."
	d, err := f.Accept(r)
	if err != nil || d.Server != "AWHW8w9JtzBzSrmf9GQY" || d.Loc != 1_200_000 || d.ProductVersion != "7.1" ||
		d.Message != "Sorry." || d.Email != r.Email || d.Company != r.Company {
		t.Errorf("got %+v, %v", d, err)
	}
}

func TestWrongCorrectionIsRefusedAtItsField(t *testing.T) {
	for field, change := range map[string]func(*CorrectionForm){
		"serverId":       func(f *CorrectionForm) { f.Server = "my-server" },
		"ncloc":          func(f *CorrectionForm) { f.Loc = "" },
		"productVersion": func(f *CorrectionForm) { f.ProductVersion = "" },
		"wantedLoc":      func(f *CorrectionForm) { f.WantedLoc = "1" },
		"phone":          func(f *CorrectionForm) { f.Phone = "call me" },
		"message":        func(f *CorrectionForm) { f.Message = strings.Repeat("x", MaxMessage+1) },
	} {
		r := recorded(t)
		f := CorrectionOf(r)
		change(&f)
		_, err := f.Accept(r)
		if !hasField(err, field) {
			t.Errorf("%s: got %v", field, err)
		}
	}
}

func TestServerOfAContinuedLicenseIsNotCorrected(t *testing.T) {
	link := &Link{Contact: "ada@acme.example", License: "l1"}
	for name, tt := range map[string]struct {
		change func(*Request)
		want   bool
	}{
		"typed":                  {func(*Request) {}, true},
		"replacement":            {func(r *Request) { r.Kind, r.Link = Replacement, link }, true},
		"renewal by the form":    {func(r *Request) { r.Kind = Renewal }, true},
		"renewal by a link":      {func(r *Request) { r.Kind, r.Link, r.Bound = Renewal, link, true }, false},
		"renewal when signed in": {func(r *Request) { r.Kind, r.Link = Renewal, link }, false},
		"upgrade when signed in": {func(r *Request) { r.Kind, r.Link = Upgrade, link }, false},
	} {
		r := recorded(t)
		tt.change(&r)
		f := CorrectionOf(r)
		f.Server = "AWHW8w9JtzBzSrmf9GQY"
		d, err := f.Accept(r)
		got := d.Server == license.Server(f.Server)
		if err != nil || got != tt.want || r.ServerCorrectable() != tt.want {
			t.Errorf("%s: got server %s, %v", name, d.Server, err)
		}
	}
}

func TestAnswerNeedsWords(t *testing.T) {
	for typed, ok := range map[string]bool{"": false, " \n\u200b": false, "6.7.5": true, "a\x00b": false} {
		text, err := ParseResponse(typed)
		if (err == nil) != ok || ok && text != typed || !ok && !hasField(err, "response") {
			t.Errorf("%q: got %q, %v", typed, text, err)
		}
	}
}

func hasField(err error, name string) bool {
	f, ok := errors.AsType[*fault.Error](err)
	return ok && len(f.Fields) == 1 && f.Fields[0].Name == name
}
