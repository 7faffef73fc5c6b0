package request

import (
	"slices"
	"strings"
	"testing"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/license"
)

// planned is a replacement that is filed before its server ID changes.
func planned() Form {
	f := validForm()
	f.Kind, f.Change, f.Planned, f.Environment = "replacement", "moved", "2018-05-03", "production"
	return f
}

func TestPlannedReplacementNeedsOnlyTheServerOfToday(t *testing.T) {
	d, err := planned().Accept()
	if err != nil {
		t.Fatal(err)
	}
	day := license.Date{Year: 2018, Month: time.May, Day: 3}
	if d.Change != DatabaseMoved || d.Planned != day || d.Replaces != string(d.Server) || d.OldServer != OldRunning {
		t.Errorf("got %+v", d)
	}
	if !d.AwaitsServer() {
		t.Error("got a request whose new server ID is known, want that it is awaited")
	}
	morning := time.Date(2018, 3, 5, 9, 30, 0, 0, time.UTC)
	if got := d.Begins(morning); !got.Equal(day.End()) {
		t.Errorf("got work from %v on, want after the day", got)
	}
	if late := day.End().Add(9 * time.Hour); !d.Begins(late).Equal(late) {
		t.Errorf("got work from %v on, want at once", d.Begins(late))
	}

	d.Server = "4A6F8E2B-AWHW8w9JtzBzSrmf9GQX" // the customer told the new one
	if d.AwaitsServer() || !d.Begins(morning).Equal(morning) {
		t.Error("got a request that still awaits its server ID")
	}
}

func TestOnlyReplacementsHaveAPlan(t *testing.T) {
	f := planned()
	f.Kind = "renewal"
	d, err := f.Accept()
	if err != nil || d.Change != "" || !d.Planned.IsZero() || d.AwaitsServer() {
		t.Errorf("got %+v, %v", d, err)
	}
	f = planned()
	f.Planned, f.Replaces, f.OldServer = "", "AWHW8w9JtzBzSrmf9GQX", "stopped"
	if d, err := f.Accept(); err != nil || d.Change != DatabaseMoved || d.AwaitsServer() {
		t.Errorf("without a day: got %+v, %v; want a change that has happened", d, err)
	}
}

func TestPlansThatCannotBeReadAreRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*Form)
		field  string
	}{
		"a day that does not exist": {func(f *Form) { f.Planned = "2018-02-30" }, "planned"},
		"a word":                    {func(f *Form) { f.Planned = "soon" }, "planned"},
		"a year of two digits":      {func(f *Form) { f.Planned = "0018-05-03" }, "planned"},
		"no change":                 {func(f *Form) { f.Change = "" }, "change"},
		"an unknown change":         {func(f *Form) { f.Change = "<script>" }, "change"},
		"no environment":            {func(f *Form) { f.Environment = "" }, "environment"},
	} {
		f := planned()
		tt.change(&f)
		if got := refused(f); !slices.Contains(got, tt.field) {
			t.Errorf("%s: got the refused fields %v, want %s", name, got, tt.field)
		}
	}
}

func TestPlannedDayIsAheadButNotFar(t *testing.T) {
	today := license.Date{Year: 2018, Month: time.March, Day: 5}
	for text, want := range map[string]string{
		"":           "",
		"2018-03-05": "2018-03-05",
		"2019-03-05": "2019-03-05",
		"2018-03-04": "error: This day has passed.",
		"2019-03-06": "error: Choose a day within the next 12 months.",
		"5/3/2018":   "error: Enter the day as year, month and day",
	} {
		day, err := ParsePlanned(text, today)
		got := day.String()
		if err != nil {
			got = "error: " + fault.Sentence(err)
		}
		if !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestEveryChangeSaysWhatItDoes(t *testing.T) {
	if len(Changes) != 6 {
		t.Errorf("got %d changes, want six", len(Changes))
	}
	for _, c := range Changes {
		if !c.Valid() || c.Effect() == "" {
			t.Errorf("%s has no words", c)
		}
	}
	if Change("").Valid() || Change("").Name() != "" || Change("other").Valid() {
		t.Error("got words for no change")
	}
}
