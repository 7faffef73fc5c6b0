package retention_test

import (
	"strings"
	"testing"
	"time"

	"marketplace/shared/retention"
)

func TestZeroPolicyKeepsThePromise(t *testing.T) {
	var p retention.Policy
	if got, want := p.String(), "requests 180d, letters 13m, audit 36m"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	at := time.Date(2018, 3, 1, 15, 4, 5, 0, time.UTC)
	for _, tt := range []struct {
		what      string
		got, want time.Time
	}{
		{"request", p.RequestExpires(at), time.Date(2018, 8, 29, 0, 0, 0, 0, time.UTC)},
		{"letter", p.LetterExpires(at), time.Date(2019, 4, 1, 15, 4, 5, 0, time.UTC)},
		{"audit", p.AuditExpires(at), time.Date(2021, 3, 1, 15, 4, 5, 0, time.UTC)},
		{"colleague", p.ColleagueExpires(at), time.Date(2021, 3, 1, 15, 4, 5, 0, time.UTC)},
	} {
		if !tt.got.Equal(tt.want) {
			t.Errorf("%s: got %v, want %v", tt.what, tt.got, tt.want)
		}
	}
}

func TestPolicyIsReadFromText(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", "requests 180d, letters 13m, audit 36m"},
		{"requests 12m", "requests 12m, letters 13m, audit 36m"},
		{" audit 24m ,letters  30d,", "requests 180d, letters 30d, audit 24m"},
	} {
		p, err := retention.ParsePolicy(tt.text)
		if err != nil || p.String() != tt.want {
			t.Errorf("%q: got %q, %v, want %q", tt.text, p, err, tt.want)
		}
		again, err := retention.ParsePolicy(p.String())
		if err != nil || again.String() != tt.want {
			t.Errorf("%q again: got %q, %v, want %q", p, again, err, tt.want)
		}
	}
}

func TestPolicyRefuses(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"requests", "is not a period"},
		{"customers 180d", "is not a period"},
		{"requests 180", "number of days or months"},
		{"requests d", "number of days or months"},
		{"requests 0d", "number of days or months"},
		{"requests -5m", "number of days or months"},
		{"requests 89d", "at least 90 days"},
		{"letters 29d", "at least 1 month"},
		{"audit 11m", "at least 12 months"},
		{"audit 121m", "at most 120 months"},
		{"requests 180d, requests 90d", "set it once"},
	} {
		if _, err := retention.ParsePolicy(tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: got %v, want %q", tt.text, err, tt.want)
		}
	}
}

func TestPeriodsReadAsPeopleSayThem(t *testing.T) {
	for want, p := range map[string]retention.Period{
		"1 day": {Days: 1}, "180 days": {Days: 180}, "1 month": {Months: 1}, "13 months": {Months: 13},
	} {
		if got := p.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
