package licenseimport

import (
	"slices"
	"strings"
	"testing"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/request"
)

const header = "organization,contact,email,server_id,edition,type,max_loc,expiration,support\n"

const good = "Acme AG,Ada Lovelace,ada@acme.example,AWHW8w9JtzBzSrmf9GQX,developer,PRODUCTION,1000000,2018-08-31,yes\n"

func TestReadReadsAllColumns(t *testing.T) {
	f, err := Read(strings.NewReader(header + good))
	entries, refused := f.Entries, f.Refused
	if err != nil || len(refused) != 0 || len(entries) != 1 {
		t.Fatalf("got %v, %v, %v, want one entry", entries, refused, err)
	}
	l := entries[0].License
	if len(l.ID) != 26 {
		t.Errorf("got ID %q, want 26 characters", l.ID)
	}
	if l.Organization != "Acme AG" ||
		entries[0].Contacts[0] != (license.Contact{Name: "Ada Lovelace", Email: "ada@acme.example"}) ||
		l.Server != "AWHW8w9JtzBzSrmf9GQX" || l.Edition != license.Developer || l.Type != license.Production ||
		l.MaxLoc != 1_000_000 ||
		l.Expiration.String() != "2018-08-31" || !l.Support {
		t.Errorf("got license %+v", l)
	}
}

func TestReadAcceptsSpreadsheetVariants(t *testing.T) {
	file := "\ufeff" + strings.ReplaceAll(header, ",",
		", ") + `"Acme, Inc.", ,ada@acme.example,AWHW8w9JtzBzSrmf9GQX,Developer,production,1000000,2018-08-31,No` + "\n"
	file = strings.ReplaceAll(file, "\n", "\r\n")
	f, err := Read(strings.NewReader(file))
	entries, refused := f.Entries, f.Refused
	if err != nil || len(refused) != 0 || len(entries) != 1 || entries[0].License.Organization != "Acme, Inc." ||
		entries[0].License.Support {
		t.Fatalf("got %+v, %v, %v, want one entry", entries, refused, err)
	}
}

func TestReadGivesTheReasonForARefusedLine(t *testing.T) {
	for _, tt := range []struct{ name, line, want string }{
		{"fields", "Acme AG,Ada\n", "email, server_id, edition, type, max_loc, expiration, support is missing"},
		{"organization", strings.Replace(good, "Acme AG", " ", 1), "organization: Enter the organization"},
		{"control characters", strings.Replace(good, "Acme AG", "\"Acme\r\nBcc: eve@example.com\"", 1),
			"organization: The organization contains line breaks"},
		{"email", strings.Replace(good, "ada@acme.example", "ada at acme", 1), "email: “ada at acme” is not an email address"},
		{"no email", strings.Replace(good, "ada@acme.example", "", 1), "email: Enter an email address"},
		{"server of 16", strings.Replace(good, "AWHW8w9JtzBzSrmf9GQX", "AWHW8w9JtzBzSrmf", 1), "server_id: This is not a server ID: it has 16 characters"},
		{"edition", strings.Replace(good, "developer", "professional", 1), "edition: “professional” is not an edition"},
		{"type", strings.Replace(good, "PRODUCTION", "TRIAL", 1), "type: “TRIAL” is not a license type"},
		{"no lines of code", strings.Replace(good, "1000000", "0", 1), "max_loc: “"},
		{"lines of code with a sign", strings.Replace(good, "1000000", "+1000000", 1), "max_loc: “"},
		{"lines of code", strings.Replace(good, "1000000", "1M", 1), "max_loc: “"},
		{"no such day", strings.Replace(good, "2018-08-31", "2018-09-31", 1), "expiration: “"},
		{"day first", strings.Replace(good, "2018-08-31", "31.08.2018", 1), "expiration: “"},
		{"support", strings.Replace(good, "yes", "perhaps", 1), "support: “perhaps” is not"},
		{"repeated", good + good, "repeats line 2 in every column"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Read(strings.NewReader(header + tt.line))
			refused := f.Refused
			if err != nil || len(refused) != 1 || !strings.Contains(refused[0].String(), tt.want) {
				t.Errorf("got refusals %v, %v, want one line with %q", refused, err, tt.want)
			}
		})
	}
}

func TestReadGivesEveryReasonForALine(t *testing.T) {
	f, _ := Read(strings.NewReader(header + ",,,,,,,,maybe\n"))
	refused := f.Refused
	if len(refused) != 1 || refused[0].Line != 2 || len(refused[0].Reasons) != 8 {
		t.Errorf("got refusals %v, want line 2 with a reason for each column but the contact's name", refused)
	}
}

func TestReadRefusesOtherFiles(t *testing.T) {
	for name, file := range map[string]string{
		"empty": "", "no header": good,
		"a column twice":           "email," + header + good,
		"quotation without an end": header + "\"" + good + good,
	} {
		if _, err := Read(strings.NewReader(file)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: got %v, want an Invalid fault", name, err)
		}
	}
}

func TestReadContinuesAfterABrokenLine(t *testing.T) {
	for _, broken := range []string{`Acme "Best" AG,,,,,,,,` + "\n", `"Acme" AG,,,,,,,,` + "\n"} {
		f, err := Read(strings.NewReader(header + broken + "short\n" + good))
		entries, refused := f.Entries, f.Refused
		if err != nil || len(entries) != 1 || len(refused) != 2 || refused[0].Line != 2 ||
			!strings.Contains(refused[0].String(), "Invalid CSV") || refused[1].Line != 3 {
			t.Errorf("after %q: got %v, %v, %v, want lines 2 and 3 refused, line 4 accepted", broken, entries, refused,
				err)
		}
	}
}

func TestReadSkipsWhatSpreadsheetsLeaveBehind(t *testing.T) {
	ghost := func(file string) string { return strings.ReplaceAll(file, "\n", ",, \u00a0\r\n") }
	for name, file := range map[string]string{
		"blank rows":                  header + good + ",,,,,,,,\n , \u00a0,\u200b,,,,,,\n\n",
		"a ghost column":              ghost(header + good),
		"a ghost column, blank rows":  ghost(header + ",,,,,,,,\n" + good + ",,,,,,,,\n"),
		"a ghost column in the rows":  header + ghost(good),
		"a byte-order mark, CR LF":    "\ufeff" + strings.ReplaceAll(header+good, "\n", "\r\n"),
		"invisible characters inside": strings.NewReplacer("type", "ty\u200bpe", "2018", "20\u200b18", "yes", "\u202ayes").Replace(header + good),
	} {
		f, err := Read(strings.NewReader(file))
		if err != nil || len(f.Refused) > 0 || len(f.Notes) > 0 || len(f.Entries) != 1 {
			t.Errorf("%s: got %+v, %v, want one entry", name, f, err)
		}
	}
	f, err := Read(strings.NewReader(header + strings.ReplaceAll(good, "\n", ",remark\n")))
	if err != nil || len(f.Refused) != 1 || !strings.Contains(f.Refused[0].String(), "after support comes “remark”") {
		t.Errorf("got %v, %v, want the tenth field named", f.Refused, err)
	}
}

func TestReadSaysWhatAnotherFileIs(t *testing.T) {
	utf16 := func(s string) string {
		var b strings.Builder
		for _, r := range s {
			b.WriteString(string([]byte{byte(r), 0}))
		}
		return b.String()
	}
	for _, tt := range []struct{ name, file, want string }{
		{"UTF-16 with a mark", "\xff\xfe" + utf16(header+good), "UTF-16"},
		{"UTF-16 without a mark", utf16(header + good), "UTF-16"},
		{"CR alone", strings.ReplaceAll(header+good, "\n", "\r"), "CR alone"},
		{"semicolons", strings.ReplaceAll(header+good, ",", ";"), "semicolons"},
		{"a name", strings.Replace(header, "server_id", "server", 1) + good, "column 4, “server”, is not known; server_id is missing."},
		{"a missing column", strings.Replace(header, ",support", "", 1) + good, "support is missing."},
		{"a further column", strings.Replace(header, "support", "support,remark", 1) + good, "column 10, “remark”, is not known."},
		{"the last of long names", strings.Repeat("a name that goes on and on,", 8) + "last\n", "column 9, “last”, is not known"},
	} {
		_, err := Read(strings.NewReader(tt.file))
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Sentence(err), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestReadComparesTheLinesOfALicense(t *testing.T) {
	for _, tt := range []struct{ name, line, refused, note string }{
		{"other lines of code and support", "Acme AG,Ada Lovelace,ada@acme.example,AWHW8w9JtzBzSrmf9GQX,developer,PRODUCTION,250000,2018-08-31,no\n",
			"This line contradicts line 2, which is the same license: max_loc is 250000 here and 1000000 there, support is no here and yes there.", ""},
		{"the contact otherwise", strings.Replace(good, "Ada Lovelace,ada@acme", "Ada Byron,ADA@Acme", 1),
			"contact is “Ada Byron” here and “Ada Lovelace” there.", ""},
		{"alike", good, "repeats line 2 in every column", ""},
		{"the organization otherwise", strings.Replace(good, "Acme AG", "ACME  Aktiengesellschaft", 1), "",
			"organization: line 2 spells it “Acme AG”. Both are the same license."},
		{"another contact", strings.Replace(good, "Ada Lovelace,ada@", "Bob,bob@", 1), "",
			"email: this contact is added to the customer of the license in line 2."},
		{"another organization", strings.Replace(good, "Acme AG", "Other GmbH", 1), "", ""},
		{"another edition", strings.Replace(good, "developer", "enterprise", 1), "", ""},
	} {
		f, err := Read(strings.NewReader(header + good + tt.line))
		if err != nil || (tt.refused == "") != (len(f.Refused) == 0) || (tt.note == "") != (len(f.Notes) == 0) {
			t.Errorf("%s: got %+v, %v", tt.name, f, err)
			continue
		}
		last := func(r Refusal) bool { return r.Line == 3 && strings.Contains(r.String(), tt.refused) }
		if tt.refused != "" && !slices.ContainsFunc(f.Refused, last) {
			t.Errorf("%s: got %q, want %q", tt.name, f.Refused, tt.refused)
		}
		if tt.note != "" && !strings.Contains(f.Notes[0].String(), tt.note) {
			t.Errorf("%s: got %q, want %q", tt.name, f.Notes[0], tt.note)
		}
	}
}

func TestLinesThatContradictEachOtherAreAllRefused(t *testing.T) {
	file := header + good + strings.Replace(good, "1000000", "250000", 1) +
		strings.Replace(good, "2018-08-31", "2019-08-31", 1)
	f, err := Read(strings.NewReader(file))
	if err != nil || len(f.Refused) != 2 || f.Refused[0].Line != 2 || f.Refused[1].Line != 3 || len(f.Entries) != 1 {
		t.Errorf("got %+v, %v, want lines 2 and 3 refused: nobody knows which is right", f, err)
	}
}

func TestReadTakesColumnsInAnyOrder(t *testing.T) {
	file := "Reference,contacts,SUPPORT,expiration,max_loc,type,edition,server_id,mirrors,email,contact,organization," +
		"environment,contract,customer\n" +
		`CRM:4711,"bob@acme.example; Eve <eve@acme.example>",yes,2018-08-31,1000000,STAGING,enterprise,` +
		"AWHW8w9JtzBzSrmf9GQX,20110407133530,ada@acme.example,Ada Lovelace,Acme AG,staging,2017-12,Acme\n"
	f, err := Read(strings.NewReader(file))
	if err != nil || len(f.Refused) > 0 || len(f.Entries) != 1 {
		t.Fatalf("got %+v, %v, want an entry", f, err)
	}
	e := f.Entries[0]
	if e.Customer != "Acme" || e.Contract != "2017-12" || e.Environment != request.StagingUse ||
		e.Mirrors != "20110407133530" || len(e.Contacts) != 3 || e.Contacts[2].Email != "eve@acme.example" ||
		!slices.Equal(e.References, []customer.Outside{{System: "CRM", ID: "4711"}}) {
		t.Errorf("got %+v", e)
	}
}

func TestReadRefusesWrongOptionalColumns(t *testing.T) {
	header := strings.TrimSpace(header) + ",environment,mirrors,contacts\n"
	for _, tt := range []struct{ name, columns, want string }{
		{"no environment", "test,,", "environment: “test” is not an environment"},
		{"staging of a production license", "staging,,", "environment: A license of type PRODUCTION is for a production server"},
		{"production mirrors", ",AWHW8w9JtzBzSrmf9GQY,", "mirrors: Only a staging server mirrors another server"},
		{"no address", ",,bob at acme", "contacts: “bob” is not an email address"},
	} {
		f, err := Read(strings.NewReader(header + strings.TrimSpace(good) + "," + tt.columns + "\n"))
		if err != nil || len(f.Refused) != 1 || !strings.Contains(f.Refused[0].String(), tt.want) {
			t.Errorf("%s: got %+v, %v, want %q", tt.name, f.Refused, err, tt.want)
		}
	}
}

// Files that were imported before have these IDs on record.
func TestLicenseIDsAreThoseOfOldFiles(t *testing.T) {
	f, err := Read(strings.NewReader(header + good))
	if err != nil || len(f.Entries) != 1 || f.Entries[0].License.ID != "asw2ejaxd1bg5fhdpmb1vf2km7" {
		t.Errorf("got %+v, %v, want the ID asw2ejaxd1bg5fhdpmb1vf2km7", f.Entries, err)
	}
}

func TestEveryRefusalNamesItsColumn(t *testing.T) {
	f, err := Read(strings.NewReader(header + ",,,,,,,,maybe\n" + "Acme AG,\"A\"da,,,,,,,\n"))
	if err != nil || len(f.Refused) != 2 {
		t.Fatalf("got %v, %v", f.Refused, err)
	}
	for i, column := range []string{"organization", "email", "server_id", "edition", "type", "max_loc", "expiration", "support"} {
		if reason := f.Refused[0].Reasons[i]; !strings.HasPrefix(reason, column+": ") {
			t.Errorf("got %q, want the column %s", reason, column)
		}
	}
	if reason := f.Refused[1].Reasons[0]; !strings.HasPrefix(reason, "contact: Invalid CSV") {
		t.Errorf("got %q, want the column contact", reason)
	}
}
