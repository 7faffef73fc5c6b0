package officehours_test

import (
	"slices"
	"testing"

	"marketplace/shared/officehours"
)

func TestTimesAsPeopleReadThem(t *testing.T) {
	at := instant(t, zurich, "2026-12-28 17:30")
	for _, tt := range []struct{ office, reader, want string }{
		{"UTC", "", "Monday 28 Dec 2026, 16:30 UTC"},
		{zurich, "", "Monday 28 Dec 2026, 17:30 (Zurich time)"},
		{zurich, "America/New_York", "Monday 28 Dec 2026, 17:30 (Zurich time), which is 11:30 in New York"},
		{zurich, "Asia/Tokyo", "Monday 28 Dec 2026, 17:30 (Zurich time), which is Tuesday 29 Dec 2026, 01:30 in Tokyo"},
		{zurich, "Europe/Paris", "Monday 28 Dec 2026, 17:30 (Zurich time)"},
		{zurich, "Etc/GMT+5", "Monday 28 Dec 2026, 17:30 (Zurich time), which is 11:30 UTC-05:00"},
		{zurich, "UTC", "Monday 28 Dec 2026, 17:30 (Zurich time), which is 16:30 UTC"},
		{zurich, "Europe/Nowhere", "Monday 28 Dec 2026, 17:30 (Zurich time)"},
		{zurich, "Local", "Monday 28 Dec 2026, 17:30 (Zurich time)"},
		{"America/Argentina/Buenos_Aires", "", "Monday 28 Dec 2026, 13:30 (Buenos Aires time)"},
		{"Asia/Kolkata", "", "Monday 28 Dec 2026, 22:00 (Kolkata time)"},
		{"CET", "", "Monday 28 Dec 2026, 17:30 (UTC+01:00)"},
	} {
		h := office(t, tt.office, "", "")
		if got := h.DeadlineIn(at, tt.reader); got != tt.want {
			t.Errorf("%s for %q: got %q, want %q", tt.office, tt.reader, got, tt.want)
		}
	}
}

// In summer, Zurich and Johannesburg have the same time; in winter they do not.
func TestReadersZoneIsNamedOnlyWhereItDiffersThen(t *testing.T) {
	h := office(t, zurich, "", "")
	summer, winter := instant(t, zurich, "2026-07-01 10:00"), instant(t, zurich, "2026-12-01 10:00")
	const zone = "Africa/Johannesburg"
	if got, want := h.DeadlineIn(summer, zone), "Wednesday 01 Jul 2026, 10:00 (Zurich time)"; got != want {
		t.Errorf("summer: got %q, want %q", got, want)
	}
	want := "Tuesday 01 Dec 2026, 10:00 (Zurich time), which is 11:00 in Johannesburg"
	if got := h.DeadlineIn(winter, zone); got != want {
		t.Errorf("winter: got %q, want %q", got, want)
	}
}

func TestDeadlineAtMidnightNamesTheDayThatEnds(t *testing.T) {
	h := office(t, zurich, "", "")
	got, want := h.Deadline(instant(t, zurich, "2026-12-29 00:00")), "the end of Monday 28 Dec 2026 (Zurich time)"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := (officehours.Hours{}).Deadline(instant(t, "UTC", "2026-12-29 00:00")),
		"the end of Monday 28 Dec 2026 (UTC)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWeekAsPeopleReadIt(t *testing.T) {
	now := instant(t, "UTC", "2026-11-30 12:00")
	for week, want := range map[string]string{
		"":                                     "Monday to Friday, 09:00–17:00 (UTC)",
		"Mon-Sun 00:00-24:00":                  "Monday to Sunday, 00:00–24:00 (UTC)",
		"Mon-Thu 09:00-17:00, Fri 09:00-15:00": "Monday to Thursday, 09:00–17:00, and Friday, 09:00–15:00 (UTC)",
		"Mon 09:00-12:00, Wed 13:00-17:00, Thu-Fri 09:00-12:00": "Monday, 09:00–12:00, Wednesday, 13:00–17:00, and Thursday and Friday, 09:00–12:00 (UTC)",
		"Sun-Thu 08:00-16:00": "Monday to Thursday, 08:00–16:00, and Sunday, 08:00–16:00 (UTC)",
	} {
		if got := office(t, "", week, "").Week(now); got != want {
			t.Errorf("%q: got %q, want %q", week, got, want)
		}
	}
	if got, want := office(t, zurich, "", "").Week(now), "Monday to Friday, 09:00–17:00 (Zurich time)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestHolidaysOfTheNextYear(t *testing.T) {
	h := office(t, zurich, "", "2026-11-30, 2026-12-24 09:00-12:00, 12-25, 12-26, 2027-12-24, 2026-12-21 09:00-17:00")
	got := h.Holidays(instant(t, zurich, "2026-12-01 00:30"))
	want := []officehours.Holiday{
		{Date: "Thursday 24 Dec 2026", Hours: "09:00–12:00"}, {Date: "Friday 25 Dec 2026", Hours: "closed"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestListOfDatesRunsOut(t *testing.T) {
	now := instant(t, "UTC", "2026-11-01 12:00")
	for _, tt := range []struct {
		holidays, last string
		soon           bool
	}{
		{"", "", false},
		{"12-25", "", false},
		{"2026-12-31, 2026-12-25", "Thursday 31 Dec 2026", true},
		{"2026-12-25, 2027-01-01", "Friday 01 Jan 2027", false},
		{"2026-01-01", "Thursday 01 Jan 2026", true},
	} {
		last, soon := office(t, "", "", tt.holidays).RunsOut(now)
		if last != tt.last || soon != tt.soon {
			t.Errorf("%q: got %q, %v; want %q, %v", tt.holidays, last, soon, tt.last, tt.soon)
		}
	}
}
