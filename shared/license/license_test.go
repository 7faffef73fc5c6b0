package license

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"marketplace/shared/fault"
)

func TestAddMonthsStaysInTheMonth(t *testing.T) {
	for _, tt := range []struct {
		from   string
		months int
		want   string
	}{
		{"2018-08-31", -2, "2018-06-30"},
		{"2018-08-31", -1, "2018-07-31"},
		{"2018-07-31", -1, "2018-06-30"},
		{"2018-04-30", -2, "2018-02-28"},
		{"2020-04-30", -2, "2020-02-29"},
		{"2018-03-29", -1, "2018-02-28"},
		{"2018-03-28", -1, "2018-02-28"},
		{"2020-02-29", 12, "2021-02-28"},
		{"2018-01-15", -2, "2017-11-15"},
		{"2018-12-31", 2, "2019-02-28"},
		{"2018-05-05", 0, "2018-05-05"},
	} {
		d, err := ParseDate(tt.from)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.AddMonths(tt.months).String(); got != tt.want {
			t.Errorf("%s %+d months = %s, want %s", tt.from, tt.months, got, tt.want)
		}
	}
}

func TestDateIsADayInUTC(t *testing.T) {
	newYork := time.FixedZone("New York", -5*3600)
	if got := DateOf(time.Date(2018, 8, 31, 20, 0, 0, 0, newYork)).String(); got != "2018-09-01" {
		t.Errorf("20:00 in New York on 31 August is %s", got)
	}
	d := Date{2018, 8, 31}
	if end := d.End(); !end.Equal(time.Date(2018, 9, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("End = %v", end)
	}
	if d.Long() != "31 Aug 2018" || d.DaysUntil(Date{2018, 9, 30}) != 30 || d.DaysUntil(Date{2018, 8, 1}) != -30 {
		t.Errorf("%s %d", d.Long(), d.DaysUntil(Date{2018, 9, 30}))
	}
}

func TestParseDateRefusesInvalidDays(t *testing.T) {
	for _, s := range []string{"", "2018-02-29", "2018-13-01", "2018-00-01", "2018-1-1", "01.08.2018",
		"2018-08-31T00:00:00Z", " 2018-08-31", "20180831"} {
		if d, err := ParseDate(s); err == nil {
			t.Errorf("ParseDate(%q) = %v", s, d)
		}
	}
}

func TestDateRoundTripsThroughJSON(t *testing.T) {
	for _, want := range []Date{{}, {2018, 8, 31}, {2020, 2, 29}} {
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got Date
		if err := json.Unmarshal(data, &got); err != nil || got != want {
			t.Errorf("%s: got %v, %v", data, got, err)
		}
	}
	var d Date
	if err := json.Unmarshal([]byte(`"2018-02-30"`), &d); err == nil {
		t.Error("a day that does not exist was read from JSON")
	}
}

func TestParseServerAcceptsEveryFormat(t *testing.T) {
	for id, dataset := range map[string]string{
		"20110407133530":                "20110407133530",
		"1a2b3c4d5e6f708":               "1a2b3c4d5e6f708",
		"AWHW8w9JtzBzSrmf9GQX":          "AWHW8w9JtzBzSrmf9GQX",
		"AW-W8w9J_zBz-rmf9GQ-":          "AW-W8w9J_zBz-rmf9GQ-",
		"00000000-AWHW8w9JtzBzSrmf9GQX": "AWHW8w9JtzBzSrmf9GQX",
		"0A1B2C3D-AW-W8w9J_zBz-rmf9GQ-": "AW-W8w9J_zBz-rmf9GQ-",
		"0A1B2C3D-1a2b3c4d5e6f708":      "1a2b3c4d5e6f708",
		" AWHW8w9JtzBzSrmf9GQX\n":       "AWHW8w9JtzBzSrmf9GQX",
		"12345678-AbCdEfGhIjK":          "12345678-AbCdEfGhIjK", // 20 characters without a prefix
	} {
		got, err := ParseServer(id)
		if err != nil || string(got) != strings.TrimSpace(id) || got.Dataset() != dataset {
			t.Errorf("ParseServer(%q) = %q with dataset %q, %v; want dataset %q", id, got, got.Dataset(), err, dataset)
		}
	}
}

func TestParseServerRefusesOtherIDs(t *testing.T) {
	for _, id := range []string{
		"", " ", "AWHW8w9JtzBzSrmf", // 16
		"2011040713353O", "2a2b3c4d5e6f708", "1A2B3C4D5E6F708", "1a2b3c4d5e6f70", "AWHW8w9JtzBzSrmf9GQ!",
		"AWHW8w9J zBzSrmf9GQX",
		"0a1b2c3d-AWHW8w9JtzBzSrmf9GQX", "0A1B2C3D_AWHW8w9JtzBzSrmf9GQX", "0A1B2C3D-20110407133530",
		"0A1B2C3D-2a2b3c4d5e6f708",
		"AWHW8w9JtzBzSrmf9GQXAWHW8w9JtzBzSrmf9GQX", "<script>alert(1)</script>", "AWHW8w9JtzBzSrmf9GQ\u00e9",
		"AWHW8w9J\ntzBzSrmf9GQX",
	} {
		if got, err := ParseServer(id); fault.KindOf(err) != fault.Invalid {
			t.Errorf("ParseServer(%q) = %q, %v; want an Invalid fault", id, got, err)
		}
	}
}

func FuzzParseServer(f *testing.F) {
	f.Add("0A1B2C3D-AWHW8w9JtzBzSrmf9GQX")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := ParseServer(s)
		if err != nil {
			return
		}
		again, err := ParseServer(string(id))
		if err != nil || again != id {
			t.Errorf("%q was taken, then not: %v", id, err)
		}
		switch len(id) {
		case 14, 15, 20, 24, 29:
		default:
			t.Errorf("%q has %d characters", id, len(id))
		}
	})
}

func TestEditionAndTypeNames(t *testing.T) {
	for _, e := range Editions {
		if !e.Valid() || !strings.HasSuffix(e.Name(), " Edition") {
			t.Errorf("%q is %q", e, e.Name())
		}
	}
	for _, e := range []Edition{"", "Developer", "professional"} {
		if e.Valid() {
			t.Errorf("%q is valid", e)
		}
	}
	for _, ty := range Types {
		if !ty.Valid() {
			t.Errorf("%q is not valid", ty)
		}
	}
	if Type("production").Valid() {
		t.Error("production in lower case is valid")
	}
}
