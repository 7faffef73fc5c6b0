package licenseimport

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"marketplace/shared/fault"
	"marketplace/shared/license"
)

const header = "organization,contact,email,server_id,edition,type,max_loc,expiration,support\n"

const good = "Acme AG,Ada Lovelace,ada@acme.example,AWHW8w9JtzBzSrmf9GQX,developer,PRODUCTION,1000000,2018-08-31,yes\n"

func TestReadReadsAllColumns(t *testing.T) {
	entries, refused, err := Read(strings.NewReader(header + good))
	if err != nil || len(refused) != 0 || len(entries) != 1 {
		t.Fatalf("got %v, %v, %v, want one entry", entries, refused, err)
	}
	l := entries[0].License
	if len(l.ID) != 26 {
		t.Errorf("got ID %q, want 26 characters", l.ID)
	}
	if l.Organization != "Acme AG" ||
		l.Contacts[0] != (license.Contact{Name: "Ada Lovelace", Email: "ada@acme.example"}) ||
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
	entries, refused, err := Read(strings.NewReader(file))
	if err != nil || len(refused) != 0 || len(entries) != 1 || entries[0].License.Organization != "Acme, Inc." ||
		entries[0].License.Support {
		t.Fatalf("got %+v, %v, %v, want one entry", entries, refused, err)
	}
}

func TestReadGivesTheReasonForARefusedLine(t *testing.T) {
	for _, tt := range []struct{ name, line, want string }{
		{"fields", "Acme AG,Ada\n", "2 fields instead of 9"},
		{"organization", strings.Replace(good, "Acme AG", " ", 1), "Enter the organization"},
		{"control characters", strings.Replace(good, "Acme AG", "\"Acme\r\nBcc: eve@example.com\"", 1),
			"line breaks"},
		{"email", strings.Replace(good, "ada@acme.example", "ada at acme", 1), "not an email address"},
		{"no email", strings.Replace(good, "ada@acme.example", "", 1), "Enter an email address"},
		{"server of 16", strings.Replace(good, "AWHW8w9JtzBzSrmf9GQX", "AWHW8w9JtzBzSrmf", 1), "16 characters"},
		{"edition", strings.Replace(good, "developer", "professional", 1), "not an edition"},
		{"type", strings.Replace(good, "PRODUCTION", "TRIAL", 1), "not a license type"},
		{"no lines of code", strings.Replace(good, "1000000", "0", 1), "not a valid max_loc"},
		{"lines of code with a sign", strings.Replace(good, "1000000", "+1000000", 1), "not a valid max_loc"},
		{"lines of code", strings.Replace(good, "1000000", "1M", 1), "not a valid max_loc"},
		{"no such day", strings.Replace(good, "2018-08-31", "2018-09-31", 1), "not a date"},
		{"day first", strings.Replace(good, "2018-08-31", "31.08.2018", 1), "not a date"},
		{"support", strings.Replace(good, "yes", "perhaps", 1), "support"},
		{"repeated", good + good, "repeats line 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, refused, err := Read(strings.NewReader(header + tt.line))
			if err != nil || len(refused) != 1 || !strings.Contains(refused[0].String(), tt.want) {
				t.Errorf("got refusals %v, %v, want one line with %q", refused, err, tt.want)
			}
		})
	}
}

func TestReadGivesEveryReasonForALine(t *testing.T) {
	_, refused, _ := Read(strings.NewReader(header + ",,,,,,,,maybe\n"))
	if len(refused) != 1 || refused[0].Line != 2 || len(refused[0].Reasons) != 8 {
		t.Errorf("got refusals %v, want line 2 with a reason for each column but the contact's name", refused)
	}
}

func TestReadRefusesOtherFiles(t *testing.T) {
	for name, file := range map[string]string{
		"empty": "", "no header": good,
		"columns in another order": "contact,organization" + header[len("organization,contact"):],
		"quotation without an end": header + "\"" + good + good,
	} {
		if _, _, err := Read(strings.NewReader(file)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: got %v, want an Invalid fault", name, err)
		}
	}
}

func TestReadContinuesAfterABrokenLine(t *testing.T) {
	for _, broken := range []string{`Acme "Best" AG,,,,,,,,` + "\n", `"Acme" AG,,,,,,,,` + "\n"} {
		entries, refused, err := Read(strings.NewReader(header + broken + "short\n" + good))
		if err != nil || len(entries) != 1 || len(refused) != 2 || refused[0].Line != 2 ||
			!strings.Contains(refused[0].String(), "Invalid CSV") || refused[1].Line != 3 {
			t.Errorf("after %q: got %v, %v, %v, want lines 2 and 3 refused, line 4 accepted", broken, entries, refused,
				err)
		}
	}
}

// fakeRecorder is a Recorder that fails once it has limit licenses.
type fakeRecorder struct {
	mu    sync.Mutex
	have  map[string]license.License
	limit int
}

func (b *fakeRecorder) OnRecord(_ context.Context, l license.License) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	known, ok := b.have[l.ID]
	if ok && known.MaxLoc != l.MaxLoc {
		return true, fault.New(fault.Conflict, "other terms")
	}
	return ok, nil
}

func (b *fakeRecorder) AddLicense(ctx context.Context, l license.License, _ string) (bool, error) {
	if known, err := b.OnRecord(ctx, l); known || err != nil {
		return false, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.limit > 0 && len(b.have) == b.limit {
		return false, errors.New("storage failure")
	}
	b.have[l.ID] = l
	return true, nil
}

func TestImportWithARefusedLineRecordsNothing(t *testing.T) {
	b := &fakeRecorder{have: map[string]license.License{}}
	file := header + good + "broken\n"
	report, err := Import(t.Context(), b, strings.NewReader(file), "ops", false)
	if err != nil || len(b.have) != 0 || len(report.Refused) != 1 || report.Recorded != 0 {
		t.Errorf("got %+v, %v, %d recorded, want none", report, err, len(b.have))
	}
	report, err = Import(t.Context(), b, strings.NewReader(file), "ops", true)
	if err != nil || len(b.have) != 1 || report.Recorded != 1 || len(report.Refused) != 1 {
		t.Errorf("skipping: got %+v, %v, %d recorded, want one", report, err, len(b.have))
	}
}

func TestImportCanBeResumed(t *testing.T) {
	var file strings.Builder
	file.WriteString(header)
	for _, day := range []string{"01", "02", "03", "04", "05", "06", "07"} {
		file.WriteString(strings.Replace(good, "2018-08-31", "2018-08-"+day, 1))
	}
	b := &fakeRecorder{have: map[string]license.License{}, limit: 4}
	if _, err := Import(t.Context(), b, strings.NewReader(file.String()), "ops", false); err == nil ||
		!strings.Contains(err.Error(), "run it again") {
		t.Fatalf("got %v, want an error that says how to continue", err)
	}
	before := slices.Sorted(maps.Keys(b.have))
	b.limit = 0
	report, err := Import(t.Context(), b, strings.NewReader(file.String()), "ops", false)
	if err != nil || report.Recorded != 3 || report.Known != 4 || len(b.have) != 7 {
		t.Errorf("second import: got %+v, %v, %d recorded (%v before)", report, err, len(b.have), before)
	}
}

func TestImportWithConflictingTermsRecordsNothing(t *testing.T) {
	b := &fakeRecorder{have: map[string]license.License{}}
	if _, err := Import(t.Context(), b, strings.NewReader(header+good), "ops", false); err != nil {
		t.Fatal(err)
	}
	other := strings.Replace(good, "1000000", "2000000", 1)
	fresh := strings.Replace(good, "2018-08-31", "2019-08-31", 1)
	file := header + fresh + other + "broken\n"
	report, err := Import(t.Context(), b, strings.NewReader(file), "ops", false)
	if err != nil || len(report.Refused) != 2 || report.Refused[0].Line != 3 || report.Refused[1].Line != 4 ||
		report.Recorded != 0 || len(b.have) != 1 {
		t.Errorf("got %+v, %v, %d recorded, want lines 3 and 4 refused and nothing recorded", report, err,
			len(b.have))
	}
	report, err = Import(t.Context(), b, strings.NewReader(file), "ops", true)
	if err != nil || len(report.Refused) != 2 || report.Recorded != 1 || len(b.have) != 2 {
		t.Errorf("skipping: got %+v, %v, %d recorded, want one", report, err, len(b.have))
	}
}
