package request

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/license/licensetest"
)

func validForm() Form {
	return Form{
		Kind: "evaluation", Edition: "developer", Server: "AWHW8w9JtzBzSrmf9GQX", Loc: "120000",
		ProductVersion: "6.7.1",
		Name:           "Ada Lovelace", Email: "ada@acme.example", Company: "Acme AG", Country: "Switzerland",
	}
}

// refused returns the fields of a form that are refused.
func refused(f Form) (fields []string) {
	_, err := f.Accept()
	var bad *fault.Error
	if errors.As(err, &bad) {
		for _, field := range bad.Fields {
			fields = append(fields, field.Name)
		}
	}
	slices.Sort(fields)
	return fields
}

func TestAcceptReturnsTheDetails(t *testing.T) {
	f := validForm()
	f.Phone, f.Message, f.Contacts = "+41 22 555 01 23", " Two lines,\r\nplease. ",
		"bob@acme.example, Bob@acme.example;carol@acme.example\n"
	d, err := f.Accept()
	want := Details{
		Kind: Evaluation, Edition: license.Developer, Server: "AWHW8w9JtzBzSrmf9GQX", Loc: 120_000,
		ProductVersion: "6.7.1",
		Name:           "Ada Lovelace", Email: "ada@acme.example", Company: "Acme AG", Country: "Switzerland",
		Phone: "+41 22 555 01 23", Message: "Two lines,\nplease.",
		Contacts: []string{"bob@acme.example", "carol@acme.example"},
	}
	if err != nil || fmt.Sprint(d) != fmt.Sprint(want) {
		t.Errorf("got %+v, %v, want %+v", d, err, want)
	}
}

func TestAcceptNamesEveryMissingField(t *testing.T) {
	want := []string{"company", "country", "edition", "email", "kind", "name", "ncloc", "productVersion", "serverId"}
	if got := refused(Form{}); !slices.Equal(got, want) {
		t.Errorf("got errors at %v, want %v", got, want)
	}
}

func TestAcceptRefusesInvalidFields(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n+1) }
	for _, tt := range []struct {
		name, field string
		change      func(*Form)
	}{
		{"unknown kind", "kind", func(f *Form) { f.Kind = "gift" }},
		{"unknown edition", "edition", func(f *Form) { f.Edition = "professional" }},
		{"community", "edition", func(f *Form) { f.Edition = "community" }},
		{"server ID of 16", "serverId", func(f *Form) { f.Server = "AWHW8w9JtzBzSrmf" }},
		{"negative lines", "ncloc", func(f *Form) { f.Loc = "-1" }},
		{"lines as a word", "ncloc", func(f *Form) { f.Loc = "abc" }},
		{"lines beyond 64 bits", "ncloc", func(f *Form) { f.Loc = "9223372036854775808" }},
		{"lines with a sign", "ncloc", func(f *Form) { f.Loc = "+1" }},
		{"lines in hexadecimal", "ncloc", func(f *Form) { f.Loc = "0x10" }},
		{"lines as a fraction", "ncloc", func(f *Form) { f.Loc = "1.5" }},
		{"lines in Arabic digits", "ncloc", func(f *Form) { f.Loc = "١٢٣" }},
		{"version before editions", "productVersion", func(f *Form) { f.ProductVersion = "6.6" }},
		{"invalid version", "productVersion", func(f *Form) { f.ProductVersion = "latest" }},
		{"version of one number", "productVersion", func(f *Form) { f.ProductVersion = "SonarQube 7" }},
		{"unknown country", "country", func(f *Form) { f.Country = "Narnia" }},
		{"invisible company", "company", func(f *Form) { f.Company = "\u200b" }},
		{"line break in the name", "name", func(f *Form) { f.Name = "Ada\r\nBcc: eve@example.com" }},
		{"long name", "name", func(f *Form) { f.Name = long(MaxName) }},
		{"email with a header", "email", func(f *Form) { f.Email = "ada@acme.example\nBcc: eve@example.com" }},
		{"two emails", "email", func(f *Form) { f.Email = "ada@acme.example,eve@acme.example" }},
		{"long company", "company", func(f *Form) { f.Company = long(MaxCompany) }},
		{"long country", "country", func(f *Form) { f.Country = long(80) }},
		{"phone with letters", "phone", func(f *Form) { f.Phone = "call me" }},
		{"long phone", "phone", func(f *Form) { f.Phone = strings.Repeat("1", input.MaxPhone+1) }},
		{"long message", "message", func(f *Form) { f.Message = long(MaxMessage) }},
		{"NUL in the message", "message", func(f *Form) { f.Message = "a\x00b" }},
		{"contact that is no address", "contacts", func(f *Form) { f.Contacts = "bob@acme.example carol" }},
		{"six contacts", "contacts",
			func(f *Form) { f.Contacts = "a@x.example b@x.example c@x.example d@x.example e@x.example f@x.example" }},
		{"replacement of nothing", "replaces", func(f *Form) { *f = replacementForm(*f); f.Replaces = "" }},
		{"staging of the smallest edition without its license", "replaces", func(f *Form) { f.Kind = "staging" }},
		{"environment", "environment",
			func(f *Form) { *f = replacementForm(*f); f.Environment = "test" }},
		{"replacement without environment", "environment",
			func(f *Form) { *f = replacementForm(*f); f.Environment = "" }},
		{"replacement without old server", "oldServer",
			func(f *Form) { *f = replacementForm(*f); f.OldServer = "" }},
		{"fewer lines than counted", "wantedLoc", func(f *Form) { f.WantedLoc = "1" }},
		{"old server", "oldServer", func(f *Form) { *f = replacementForm(*f); f.OldServer = "sold" }},
		{"long token", "idempotencyKey", func(f *Form) { f.IdempotencyKey = long(MaxKey) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := validForm()
			tt.change(&f)
			if got := refused(f); !slices.Equal(got, []string{tt.field}) {
				t.Errorf("got errors at %v, want %s", got, tt.field)
			}
		})
	}
}

func TestAcceptAllowsTypedVariants(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Form)
		check  func(Details) bool
	}{
		{"no lines yet", func(f *Form) { f.Loc = "0" }, func(d Details) bool { return d.Loc == 0 }},
		{"the largest number", func(f *Form) { f.Loc = "9223372036854775807" },
			func(d Details) bool { return d.Loc == 1<<63-1 }},
		{"thousands by comma", func(f *Form) { f.Loc = "1,200,000" },
			func(d Details) bool { return d.Loc == 1_200_000 }},
		{"thousands by apostrophe", func(f *Form) { f.Loc = "5'000'000" },
			func(d Details) bool { return d.Loc == 5_000_000 }},
		{"thousands by narrow space", func(f *Form) { f.Loc = "120\u202f000" },
			func(d Details) bool { return d.Loc == 120_000 }},
		{"version with build", func(f *Form) { f.ProductVersion = "6.7.1 (build 35068)" },
			func(d Details) bool { return d.ProductVersion == "6.7.1" }},
		{"zero patch", func(f *Form) { f.ProductVersion = "6.7.0" },
			func(d Details) bool { return d.ProductVersion == "6.7" }},
		{"four numbers", func(f *Form) { f.ProductVersion = "6.7.1.35068" },
			func(d Details) bool { return d.ProductVersion == "6.7.1" }},
		{"snapshot", func(f *Form) { f.ProductVersion = "7.0-SNAPSHOT" },
			func(d Details) bool { return d.ProductVersion == "7.0" }},
		{"name with markup", func(f *Form) { f.Name = `"><script>alert(1)</script>` },
			func(d Details) bool { return d.Name == `"><script>alert(1)</script>` }},
		{"replacement", func(f *Form) {
			*f = replacementForm(*f)
		}, func(d Details) bool { return d.OldServer == OldLost && d.Environment == ProductionUse }},
		{"lines to license", func(f *Form) { f.WantedLoc = "500'000" },
			func(d Details) bool { return d.WantedLoc == 500_000 && d.Wanted() == "500'000" }},
		{"lines to license left open", func(f *Form) { f.WantedLoc = " " },
			func(d Details) bool { return d.WantedLoc == 0 && d.Wanted() == "" }},
		{"staging of the largest edition", func(f *Form) { f.Kind, f.Edition = "staging", "datacenter" },
			func(d Details) bool { return d.Kind == Staging }},
		{"what only a replacement needs", func(f *Form) { f.OldServer, f.Environment = "lost", "staging" },
			func(d Details) bool { return d.OldServer == "" && d.Environment == "" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := validForm()
			tt.change(&f)
			if d, err := f.Accept(); err != nil || !tt.check(d) {
				t.Errorf("got %+v, %v", d, err)
			}
		})
	}
}

func FuzzAcceptedTextFitsMailHeaders(f *testing.F) {
	f.Add("Ada", "ada@acme.example", "Acme AG", "120000")
	f.Add("Ada\r\nBcc: x", "ada@acme.example\n", "Acme\u2028AG", "-1")
	f.Fuzz(func(t *testing.T, name, email, company, loc string) {
		form := validForm()
		form.Name, form.Email, form.Company, form.Loc = name, email, company, loc
		d, err := form.Accept()
		if err != nil {
			return
		}
		if s := d.Name + d.Email + d.Company; strings.ContainsAny(s, "\r\n\x00") || d.Loc < 0 {
			t.Errorf("got accepted %+v, want an error", d)
		}
	})
}

// replacementForm returns the form as a complete request for a replacement.
func replacementForm(f Form) Form {
	f.Kind, f.Replaces, f.Environment, f.OldServer = "replacement", "AWHW8w9JtzBzSrmf9GQY", "production", "lost"
	return f
}

func TestReplacesIsReadTolerantly(t *testing.T) {
	const id, retyped = "01c6x2m4vj8q0n5r7t9w3y1z2b", "LICENSE-ID-OF-AN-ENTERPRISE-LICENSE"
	key, err := licensetest.Issuer(t).Issue(license.Key{
		ID: id, Type: license.Production, Organization: "Müller & Söhne AG", Server: "AWHW8w9JtzBzSrmf9GQX",
		Edition: license.Enterprise, Plugins: []string{"license"}, MaxLoc: 500_000,
		Expiration: license.Date{Year: 2018, Month: 4, Day: 30}, Issued: license.Date{Year: 2017, Month: 5, Day: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	quotedKey := ""
	for line := range slices.Chunk([]byte(key), 70) {
		quotedKey += "> " + string(line) + "\n"
	}
	for typed, want := range map[string]struct{ kept, named string }{
		retyped + ".":                           {retyped + ".", retyped},
		"“" + id + "”":                          {"“" + id + "”", id},
		" License ID:\u00a0" + id + " ":         {"License ID: " + id, id},
		id[:9] + "\u200b" + id[9:]:              {id, id},
		id + "\n":                               {id, id},
		"our license\n" + id:                    {id, id},
		key:                                     {id + " AWHW8w9JtzBzSrmf9GQX", id},
		"Hello,\n" + quotedKey + "Kind regards": {id + " AWHW8w9JtzBzSrmf9GQX", id},
		key[:len(key)/2]:                        {id + " AWHW8w9JtzBzSrmf9GQX", id},
		"https://licenses.vendor.example/license/request?kind=renewal&replaces=" + id:          {id, id},
		"the license of the server that we lost last week, see " + id + " in your last email.": {id, id},
		"the license that Bob had, ask him":                                                    {"the license that Bob had, ask him", ""},
	} {
		for _, kind := range []Kind{Replacement, Staging, Renewal} {
			f := replacementForm(validForm())
			f.Kind, f.Replaces = string(kind), typed
			d, err := f.Accept()
			named := license.ReadReference(d.Replaces)
			if err != nil || d.Replaces != want.kept || want.named != "" && !slices.Contains(named.IDs, want.named) {
				t.Errorf("%s of %.90q: got %q, naming %v, and error %v, want %+v", kind, typed, d.Replaces, named, err,
					want)
			}
		}
	}
	for _, none := range []string{
		"the license that Bob had before he left us at the end of last year, please ask him", key[50:],
		strings.Repeat(id+" ", 1000), "one\ntwo", "\x00",
	} {
		f := replacementForm(validForm())
		f.Replaces = none
		if got := refused(f); !slices.Equal(got, []string{"replaces"}) {
			t.Errorf("%.60q: got errors at %v, want replaces", none, got)
		}
		// A renewal has no such field, so its customer could not correct it.
		f.Kind = "renewal"
		if d, err := f.Accept(); err != nil || d.Replaces != "" {
			t.Errorf("%.60q: got %q and error %v for a renewal, want nothing", none, d.Replaces, err)
		}
	}
}

func TestParseVersionFindsTheVersionInWhatIsPasted(t *testing.T) {
	for pasted, want := range map[string]string{
		"6.7": "6.7", "6.7.0": "6.7", "6.7.1": "6.7.1", "v6.7.1": "6.7.1", "6.7 LTS": "6.7", "7.0-SNAPSHOT": "7.0",
		"Version 6.7.1 (build 35068) - LGPL v3": "6.7.1", "6.7.1\u00a0(build 35068)": "6.7.1", "\ufeff6.7.5\u200b": "6.7.5",
		"SonarQube™ technology is powered by SonarSource SA, Version 6.7.3.38370": "6.7.3", "8.9.56886": "8.9",
		"Server 7.9.1, plugin 5.1": "7.9.1", "10.4.1": "10.4.1",
		"": "", "latest": "", "7": "", "5.6.7": "", "LGPL v3": "", "6.71234": "", "6.7\n" + strings.Repeat("x", 300): "",
	} {
		if got, err := ParseVersion(pasted); got != want || (err != nil) != (want == "") {
			t.Errorf("ParseVersion(%.60q) = %q, %v, want %q", pasted, got, err, want)
		}
	}
}
