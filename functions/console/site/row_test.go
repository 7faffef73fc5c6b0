package site

import (
	"testing"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
)

func TestDueBadgeWarnsFourHoursBefore(t *testing.T) {
	for _, tt := range []struct {
		left  time.Duration
		state request.State
		want  badge
	}{
		{22 * time.Hour, request.Received, badge{"Due in 22 h", ""}},
		{4 * time.Hour, request.InReview, badge{"Due in 4 h", ""}},
		{4*time.Hour - time.Minute, request.InReview, badge{"Due in 3 h", "warn"}},
		{0, request.Received, badge{"Due in 0 min", "warn"}},
		{-time.Minute, request.Received, badge{"Late by 1 min", "bad"}},
		{-72 * time.Hour, request.Received, badge{"Late by 3 days", "bad"}},
		{-72 * time.Hour, request.Waiting, badge{}},
		{-72 * time.Hour, request.Issued, badge{}},
	} {
		if got := dueBadge(request.Summary{State: tt.state, Due: start.Add(tt.left)}, start); got != tt.want {
			t.Errorf("%s, %v left: got %v, want %v", tt.state, tt.left, got, tt.want)
		}
	}
}

func TestNextReminderSaysWhyThereIsNone(t *testing.T) {
	today, next := day("2018-03-05"), day("2018-06-30")
	for _, tt := range []struct {
		change func(*license.License)
		next   license.Date
		want   string
	}{
		{func(*license.License) {}, next, "30 Jun 2018"},
		{func(*license.License) {}, license.Date{}, "None"},
		{func(l *license.License) { l.Successor = "l2" }, license.Date{}, "None: already renewed"},
		{func(l *license.License) { l.Muted, l.Successor = true, "l2" }, license.Date{}, "None: muted"},
		{func(l *license.License) { l.Expiration, l.Muted = day("2018-03-04"), true }, license.Date{},
			"None: the license has expired"},
		{func(l *license.License) { l.Expiration, l.Revoked = day("2018-03-04"), start }, license.Date{},
			"None: the license was revoked"},
	} {
		l := sampleLicense("l1", day("2018-08-31"))
		tt.change(&l)
		if got := nextReminder(store.LicenseRecord{License: l, NextReminder: tt.next}, today); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
