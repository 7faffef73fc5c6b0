package officehours_test

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"marketplace/shared/officehours"
)

// office returns the hours of an office; "" leaves the default.
func office(t testing.TB, zone, week, holidays string) (h officehours.Hours) {
	t.Helper()
	var err error
	for _, set := range []struct {
		text string
		to   func(officehours.Hours, string) (officehours.Hours, error)
	}{
		{zone, officehours.Hours.In}, {week, officehours.Hours.On}, {holidays, officehours.Hours.Except},
	} {
		if set.text == "" {
			continue
		}
		if h, err = set.to(h, set.text); err != nil {
			t.Fatalf("%q: %v", set.text, err)
		}
	}
	return h
}

const (
	christmas = "2026-12-25, 2026-12-26, 01-01"
	zurich    = "Europe/Zurich"
)

// instant reads 2026-12-24 17:30 in a zone.
func instant(t testing.TB, zone, text string) time.Time {
	t.Helper()
	z, ok := officehours.LoadZone(zone)
	if !ok {
		t.Fatalf("unknown zone %s", zone)
	}
	at, err := time.ParseInLocation("2006-01-02 15:04:05", text+":00"[:len("2006-01-02 15:04:05")-len(text)], z)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestReplyIsDueOneBusinessDayLater(t *testing.T) {
	for _, tt := range []struct {
		name, zone, week, holidays string
		received, want             string
	}{
		{"in office hours, on a Monday", "UTC", "", "", "2026-11-30 10:15", "2026-12-01 10:15"},
		{"in office hours, on a Friday", "UTC", "", "", "2026-12-04 16:59:59", "2026-12-07 16:59:59"},
		{"as the office opens", "UTC", "", "", "2026-11-30 09:00", "2026-12-01 09:00"},
		{"as the office closes", "UTC", "", "", "2026-11-30 17:00", "2026-12-01 17:00"},
		{"in the night", "UTC", "", "", "2026-11-30 03:00", "2026-11-30 17:00"},
		{"in the evening", "UTC", "", "", "2026-11-30 21:00", "2026-12-01 17:00"},
		{"on a Saturday", "UTC", "", "", "2026-12-05 12:00", "2026-12-07 17:00"},

		{"on Christmas Eve, office until 18:00", zurich, "Mon-Fri 09:00-18:00", christmas,
			"2026-12-24 17:30", "2026-12-28 17:30"},
		{"on Christmas Eve, office until 17:00", zurich, "", christmas, "2026-12-24 17:30", "2026-12-28 17:00"},
		{"on Christmas Eve, office until 12:00", zurich, "", christmas + ", 12-24 09:00-12:00",
			"2026-12-24 11:30", "2026-12-28 11:30"},
		{"before Christmas Eve, office until 12:00", zurich, "", christmas + ", 12-24 09:00-12:00",
			"2026-12-23 15:00", "2026-12-24 12:00"},
		{"before a day that begins later", zurich, "", "2026-12-23 13:00-17:00", "2026-12-22 10:00",
			"2026-12-23 13:00"},
		{"on Christmas Day", zurich, "", christmas, "2026-12-25 10:00", "2026-12-28 17:00"},
		{"on New Year's Eve", zurich, "", christmas, "2026-12-31 10:00", "2027-01-04 10:00"},

		{"before a short Friday", zurich, "Mon-Thu 08:00-17:00, Fri 08:00-15:00", "", "2026-12-03 16:00",
			"2026-12-04 15:00"},
		{"on a Thursday, where the week ends", "Asia/Dubai", "Sun-Thu 09:00-17:00", "", "2026-12-03 16:00",
			"2026-12-06 16:00"},
		{"before a Saturday on which the office opens", "Asia/Shanghai", "", "2026-12-05 10:00-15:00",
			"2026-12-04 16:00", "2026-12-05 15:00"},
		{"in a range of holidays", zurich, "", "2026-12-24..2027-01-03", "2026-12-29 10:00", "2027-01-04 17:00"},
		{"in a range of every year", zurich, "", "12-24..01-03", "2026-12-29 10:00", "2027-01-04 17:00"},
		{"a date counts more than a day of every year", zurich, "", "12-24, 2026-12-24 09:00-17:00",
			"2026-12-23 10:00", "2026-12-24 10:00"},
		{"a short day of every year opens no Sunday", zurich, "", "12-27 09:00-12:00", "2026-12-25 10:00",
			"2026-12-28 10:00"},

		{"at noon, half an hour off", "Asia/Kolkata", "", "", "2026-12-03 12:00", "2026-12-04 12:00"},
		{"over the end of summer time in the south", "America/Santiago", "", "", "2026-04-03 10:00",
			"2026-04-06 10:00"},
		{"over the beginning of summer time", zurich, "", "", "2027-03-26 10:00", "2027-03-29 10:00"},
		{"over the end of summer time", "America/New_York", "", "", "2026-10-30 10:00", "2026-11-02 10:00"},

		{"at an hour that the next day skips", zurich, "Sat-Sun 00:00-24:00", "", "2027-03-27 02:30",
			"2027-03-28 03:00"},
		{"the day that Samoa skipped", "Pacific/Apia", "Mon-Sun 09:00-17:00", "", "2011-12-29 10:00",
			"2011-12-31 10:00"},
		{"the day that Kiritimati skipped", "Pacific/Kiritimati", "Mon-Sun 09:00-17:00", "", "1994-12-30 10:00",
			"1995-01-01 10:00"},
		{"around the clock", "UTC", "Mon-Sun 00:00-24:00", "", "2026-12-05 00:00", "2026-12-06 00:00"},
		{"until midnight", "UTC", "Mon-Fri 12:00-24:00", "", "2026-12-05 10:00", "2026-12-08 00:00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := office(t, tt.zone, tt.week, tt.holidays)
			got := h.Due(instant(t, tt.zone, tt.received))
			if want := instant(t, tt.zone, tt.want); !got.Equal(want) || got.Location() != time.UTC {
				t.Errorf("got %v, want %v", got.In(h.Zone()), want)
			}
		})
	}
}

// Clocks in Zurich show 02:00 to 03:00 twice on 25 Oct 2026.
func TestHourThatComesTwice(t *testing.T) {
	h := office(t, zurich, "Mon-Sun 00:00-24:00", "")
	first := instant(t, "UTC", "2026-10-25 00:30") // 02:30, and again an hour later
	for _, tt := range []struct{ received, want time.Time }{
		{first, instant(t, zurich, "2026-10-26 02:30")},
		{first.Add(time.Hour), instant(t, zurich, "2026-10-26 03:00")},
		{first.Add(90 * time.Minute), instant(t, zurich, "2026-10-26 03:00")},
		{first.Add(91 * time.Minute), instant(t, zurich, "2026-10-26 03:01")},
		{first.AddDate(0, 0, -1), first},
	} {
		if got := h.Due(tt.received); !got.Equal(tt.want) {
			t.Errorf("received at %v: got %v, want %v", tt.received, got, tt.want)
		}
	}
}

// Clocks in Beirut show 23:00 to midnight twice on 24 Oct 2026.
func TestLastHourOfADayThatComesTwice(t *testing.T) {
	h := office(t, "Asia/Beirut", "Sat 00:00-24:00, Sun 12:00-24:00", "")
	first := instant(t, "UTC", "2026-10-24 20:30") // 23:30, and again an hour later
	for _, at := range []time.Time{first, first.Add(time.Hour)} {
		if !h.Open(at) {
			t.Errorf("%v: got closed, want open until midnight", at.In(h.Zone()))
		}
	}
	if at := first.Add(90 * time.Minute); h.Open(at) {
		t.Errorf("%v: got open, want closed until noon", at.In(h.Zone()))
	}
}

func TestAddCountsOfficeTimeOnly(t *testing.T) {
	h := office(t, zurich, "", christmas+", 2026-12-24 09:00-12:00")
	for _, tt := range []struct {
		from string
		d    time.Duration
		want string
	}{
		{"2026-12-23 16:00", 0, "2026-12-23 16:00"},
		{"2026-12-23 20:00", 0, "2026-12-23 20:00"},
		{"2026-12-23 10:00", 30 * time.Minute, "2026-12-23 10:30"},
		{"2026-12-23 16:00", time.Hour, "2026-12-23 17:00"},
		{"2026-12-23 16:00", 2 * time.Hour, "2026-12-24 10:00"},
		{"2026-12-23 16:00", 5 * time.Hour, "2026-12-28 10:00"},
		{"2026-12-23 20:00", time.Hour, "2026-12-24 10:00"},
	} {
		got := h.Add(instant(t, zurich, tt.from), tt.d)
		if want := instant(t, zurich, tt.want); !got.Equal(want) {
			t.Errorf("%v from %s: got %v, want %v", tt.d, tt.from, got.In(h.Zone()), want)
		}
	}
}

func TestOpenAndAway(t *testing.T) {
	h := office(t, zurich, "", christmas)
	for _, tt := range []struct {
		at   string
		open bool
		back string // "" means: not away
	}{
		{"2026-12-23 08:59:59", false, ""},
		{"2026-12-23 09:00", true, ""},
		{"2026-12-23 16:59:59", true, ""},
		{"2026-12-23 17:00", false, ""},
		{"2026-12-24 12:00", true, ""},
		{"2026-12-24 17:00", false, "2026-12-28 09:00"}, // before three days off
		{"2026-12-25 10:00", false, "2026-12-28 09:00"},
		{"2026-12-27 23:00", false, "2026-12-28 09:00"},
		{"2026-12-28 00:00", false, ""},
	} {
		at := instant(t, zurich, tt.at)
		back, away := h.Away(at)
		if got := h.Open(at); got != tt.open || away != (tt.back != "") {
			t.Errorf("%s: got open %v, away %v", tt.at, got, away)
		}
		if away && !back.Equal(instant(t, zurich, tt.back)) {
			t.Errorf("%s: got back %v, want %s", tt.at, back.In(h.Zone()), tt.back)
		}
	}
}

func TestMistakesAreRefused(t *testing.T) {
	in, on, except := officehours.Hours.In, officehours.Hours.On, officehours.Hours.Except
	for _, tt := range []struct {
		set        func(officehours.Hours, string) (officehours.Hours, error)
		text, want string
	}{
		{in, "Europe/Zürich", "unknown time zone: use an IANA name, for example UTC or Europe/Zurich"},
		{in, "Local", "unknown time zone"},
		{in, "", "unknown time zone"},
		{in, "../etc/localtime", "unknown time zone"},
		{in, strings.Repeat("A", 65), "unknown time zone"},
		{on, "Mon-Fri 17:00-09:00", `"17:00-09:00" closes before it opens: for example Mon-Fri 09:00-17:00`},
		{on, "Mon-Fri 09:00-09:00", "closes before it opens"},
		{on, "Mon-Fri", `"" is not when a day opens and closes`},
		{on, "Mon-Fri 9-17", `"9-17" is not when a day opens and closes`},
		{on, "Mon-Fri 09:00-25:00", "is not when a day opens and closes"},
		{on, "Mo-Fr 09:00-17:00", `"Mo-Fr 09:00-17:00" does not begin with weekdays`},
		{on, "Mon-Fri 09:00-17:00, Fri 09:00-15:00", "Friday has two different hours"},
		{on, ",", "no day is open"},
		{except, "2026-02-29", "2026-02-29 does not exist: for example 2026-12-25"},
		{except, "02-30", "02-30 does not exist"},
		{except, "25.12.2026", `"25.12.2026" is not a date`},
		{except, "2026-12-25 09:00-08:00", "closes before it opens"},
		{except, "2026-12-24..2026-12-23", "ends before it begins"},
		{except, "2026-12-24..01-01", "has a year on one side only"},
		{except, "2026-12-24..2029-01-01", "is longer than a year"},
		{except, "12-25, 12-25 09:00-12:00", "12-25 is listed twice with different hours"},
		{except, "2026-12-24..2026-12-26, 2026-12-25 09:00-12:00", "2026-12-25 is listed twice"},
		{except, "2026-12-24..2027-03-01", "the office is closed for more than 8 weeks from 2026-12-24 on"},
		{except, "2026-12-24..2027-01-10, 2027-01-11..2027-02-28", "closed for more than 8 weeks from 2026-12-24"},
		{except, "12-01..01-31", "the office is closed for more than 8 weeks from 12-01 on"},
		{except, "2026-12-01..2026-12-31, 01-01..01-31", "the office is closed for more than 8 weeks from 2026-12-01"},
	} {
		_, err := tt.set(officehours.Hours{}, tt.text)
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "for example ") {
			t.Errorf("%q: got %v, want %q with an example", tt.text, err, tt.want)
		}
	}
	daily := office(t, "", "Mon-Sun 09:00-17:00", "")
	if _, err := daily.Except("2026-11-02..2026-12-27"); err != nil {
		t.Errorf("eight weeks closed: got %v", err)
	}
	if _, err := daily.Except("2026-11-02..2026-12-28"); err == nil {
		t.Error("a day more than eight weeks closed is accepted")
	}
	open := office(t, "", "Mon 09:00-17:00", "")
	if _, err := open.Except("2026-11-02..2026-12-21"); err == nil {
		t.Error("an office that opens on Mondays accepts eight closed ones")
	}
	if _, err := office(t, "", "", "2026-11-02..2026-12-14").On("Mon 09:00-17:00"); err != nil {
		t.Errorf("seven closed Mondays: got %v", err)
	}
	if _, err := office(t, "", "", "2026-11-02..2026-12-21").On("Mon 09:00-17:00"); err == nil {
		t.Error("the holidays before it are not held against the week")
	}
}

func TestListsAreReadTolerantly(t *testing.T) {
	want := office(t, "", "Mon-Thu 09:00-17:00, Fri 09:00-15:00", "2026-12-25")
	got := office(t, "", " monday-THU  09:00–17:00,Fri 09:00 - 15:00, ", "2026-12-25,2026-12-25,")
	for at := instant(t, "UTC", "2026-12-20 00:10"); at.Month() == time.December; at = at.Add(time.Hour) {
		if !got.Due(at).Equal(want.Due(at)) {
			t.Fatalf("%v: got %v, want %v", at, got.Due(at), want.Due(at))
		}
	}
}
