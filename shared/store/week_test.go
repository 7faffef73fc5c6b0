package store_test

import (
	"testing"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/request"
)

// share is how the requests of a week were answered.
type share struct{ onTime, late, dueLater int }

// shareOf reads the share of the week of a day.
func shareOf(t *testing.T, b *testEnv, day license.Date) share {
	t.Helper()
	weeks, err := b.Weeks(t.Context(), license.DateOf(b.now), 12)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range weeks {
		if !day.Before(w.Begins) && day.Before(w.Begins.AddDays(7)) {
			return share{w.OnTime, w.Late, w.DueLater}
		}
	}
	t.Fatalf("no week has %s", day)
	return share{}
}

func TestWeekCountsFirstAnswers(t *testing.T) {
	const reviewed, asked, rejected, withdrawn = request.InReview, request.Waiting, request.Rejected, request.Withdrawn
	for name, tt := range map[string]struct {
		steps []any // states to change to, and time that passes
		want  share
	}{
		"nothing, before the deadline":            {[]any{23 * time.Hour}, share{dueLater: 1}},
		"nothing":                                 {[]any{25 * time.Hour}, share{late: 1}},
		"taken into review only":                  {[]any{reviewed, 25 * time.Hour}, share{late: 1}},
		"a question in time":                      {[]any{time.Hour, asked, 72 * time.Hour}, share{onTime: 1}},
		"a question in time, before the deadline": {[]any{time.Hour, asked}, share{dueLater: 1}},
		"a question too late":                     {[]any{25 * time.Hour, asked}, share{late: 1}},
		"a question at the deadline":              {[]any{24 * time.Hour, asked, time.Second}, share{onTime: 1}},
		"a question in time, a late rejection": {
			[]any{asked, 240 * time.Hour, reviewed, 240 * time.Hour, rejected}, share{onTime: 1}},
		"a late question, a rejection in time": {
			[]any{25 * time.Hour, asked, time.Hour, reviewed, rejected}, share{late: 1}},
		"a rejection in time":              {[]any{reviewed, rejected, 25 * time.Hour}, share{onTime: 1}},
		"a late rejection":                 {[]any{25 * time.Hour, rejected}, share{late: 1}},
		"a withdrawal":                     {[]any{25 * time.Hour, withdrawn}, share{}},
		"a withdrawal after a question":    {[]any{asked, 25 * time.Hour, withdrawn}, share{onTime: 1}},
		"a license in time":                {[]any{request.Issued, 25 * time.Hour}, share{onTime: 1}},
		"a license weeks later":            {[]any{21 * 24 * time.Hour, request.Issued}, share{late: 1}},
		"a license after a question":       {[]any{asked, 21 * 24 * time.Hour, request.Issued}, share{onTime: 1}},
		"a license, after a late question": {[]any{25 * time.Hour, asked, request.Issued}, share{late: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newMemoryEnv().testEnv
			filed := license.DateOf(b.now)
			r := file(t, b, evaluation)
			for _, step := range tt.steps {
				switch step := step.(type) {
				case time.Duration:
					b.now = b.now.Add(step)
				case request.State:
					if step == request.Issued {
						i := issue(t, b, r, expiring("l1", "2019-08-31"))
						if err := b.IssueLicenses(t.Context(), i); err != nil {
							t.Fatal(err)
						}
						continue
					}
					r = review(t, b, r, step, "why")
				}
			}
			if got := shareOf(t, b, filed); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

// TestWeekCountsWhatWasPromised has answers to requests that nobody confirmed: no deadline had been promised.
func TestWeekCountsWhatWasPromised(t *testing.T) {
	b := newMemoryEnv().testEnv
	filed := license.DateOf(b.now)
	rejected, asked, taken := fileUnconfirmed(t, b, evaluation), fileAs(t, b, under("ada@acme.example")),
		fileAs(t, b, under("bob@acme.example"))
	fileAs(t, b, under("carl@acme.example")) // nobody looks at it
	b.now = b.now.Add(48 * time.Hour)
	review(t, b, rejected, request.Rejected, "spam")
	review(t, b, asked, request.Waiting, "Who are you?")
	review(t, b, taken, request.InReview, "")
	if got, want := shareOf(t, b, filed), (share{dueLater: 1}); got != want {
		t.Errorf("got %+v, want %+v: only one was promised an answer", got, want)
	}
	b.now = b.now.AddDate(0, 0, 7)
	if got, want := shareOf(t, b, filed), (share{late: 1}); got != want {
		t.Errorf("a week later: got %+v, want %+v", got, want)
	}
}

func TestLateConfirmationIsDueFromThenOn(t *testing.T) {
	b := newMemoryEnv().testEnv
	filed := license.DateOf(b.now)
	r := fileAs(t, b, under("ada@acme.example"))
	b.now = b.now.AddDate(0, 0, 7)
	confirm(t, b, r)
	review(t, b, now(t, b, r), request.Waiting, "Which server?")
	b.now = b.now.AddDate(0, 0, 2)
	if got, want := shareOf(t, b, filed), (share{onTime: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
