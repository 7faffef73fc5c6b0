package store_test

import (
	"fmt"
	"testing"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/storetest"
)

func TestLengthOfTheQueueIsCountedToALimit(t *testing.T) {
	b := newTestEnv(t)
	for i := range 7 {
		r := file(t, b, evaluation)
		if i%2 == 0 {
			review(t, b, r, request.InReview, "")
		}
		b.now = b.now.Add(time.Hour)
	}
	open := []request.State{request.Received, request.InReview}
	for _, tt := range []struct {
		name string
		q    store.QueueQuery
		want int
	}{
		{"all", store.QueueQuery{States: open, Limit: 100}, 7},
		{"to a limit", store.QueueQuery{States: open, Limit: 5}, 5},
		{"of one state", store.QueueQuery{States: open[:1], Limit: 100}, 3},
		{"of another kind", store.QueueQuery{States: open, Kind: request.New, Limit: 100}, 0},
		{"due before a time", store.QueueQuery{States: open, Before: b.now.AddDate(0, 0, 1).Add(-5 * time.Hour),
			Limit: 100}, 2},
	} {
		if n, err := b.QueueLength(t.Context(), tt.q); err != nil || n != tt.want {
			t.Errorf("%s: got length %d, %v, want %d", tt.name, n, err, tt.want)
		}
		page, err := b.Queue(t.Context(), tt.q)
		if err != nil || len(page.Requests) != tt.want {
			t.Errorf("%s: got %d requests, %v, want %d", tt.name, len(page.Requests), err, tt.want)
		}
	}
}

func TestLicensesOfAMonthComeInPages(t *testing.T) {
	b := newTestEnv(t)
	for i := range 25 {
		l := expiring(fmt.Sprintf("l%02d", i), fmt.Sprintf("2018-08-%02d", 30-i))
		l.Server = license.Server(fmt.Sprintf("AWHW8w9JtzBzSrmf9G%02d", i))
		add(t, b, l)
	}
	add(t, b, expiring("other", "2018-09-01"))
	var days []license.Date
	for after := ""; ; {
		page, err := b.LicensesOfMonth(t.Context(), day("2018-08-15"), 10, after)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range page.Licenses {
			if n := len(days); n > 0 && l.Expiration.Before(days[n-1]) {
				t.Errorf("got %s after %s", l.Expiration, days[n-1])
			}
			days = append(days, l.Expiration)
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if len(days) != 25 {
		t.Errorf("got %d licenses, want 25", len(days))
	}
}

func TestRemindersToComeAreCountedByTheirDays(t *testing.T) {
	b := newTestEnv(t)
	for i, expiration := range []string{"2018-05-31", "2018-06-15", "2018-06-30",
		"2018-08-31"} { // reminded first on 31 March, 15 and 30 April, 30 June
		l := expiring(fmt.Sprintf("l%d", i), expiration)
		l.Server = license.Server(fmt.Sprintf("AWHW8w9JtzBzSrmf9G%02d", i))
		add(t, b, l)
	}
	for _, tt := range []struct {
		from, through string
		limit, want   int
	}{
		{"2018-03-01", "2018-03-30", 100, 0},
		{"2018-03-01", "2018-03-31", 100, 1},
		{"2018-03-31", "2018-04-30", 100, 3},
		{"2018-04-01", "2018-04-30", 100, 2},
		{"2018-03-31", "2018-06-30", 100, 4},
		{"2018-03-31", "2018-06-30", 2, 2},
	} {
		n, err := b.RemindersToCome(t.Context(), day(tt.from), day(tt.through), tt.limit)
		if err != nil || n != tt.want {
			t.Errorf("%s to %s, at most %d: got %d, %v, want %d", tt.from, tt.through, tt.limit, n, err, tt.want)
		}
	}
}

func TestMailsAboutARequestAreFound(t *testing.T) {
	b := newTestEnv(t)
	r, _, err := storetest.FileRequest(t.Context(), b, evaluation, "")
	if err != nil {
		t.Fatal(err)
	}
	b.now = b.now.Add(time.Hour)
	_, err = b.Review(t.Context(), store.Review{ID: r.ID, Version: r.Version, By: "sam", To: request.Waiting,
		Text: "why"})
	if err != nil {
		t.Fatal(err)
	}
	list, err := b.MailsAbout(t.Context(), r.ID, 10)
	if err != nil || len(list) != 3 || list[2].ID != r.ID+"--question-2" || list[2].Text != "why" ||
		list[2].Author != "sam" || list[2].State.Status != outbox.Waiting {
		t.Errorf("got mails %+v, %v, want 3, the question last", list, err)
	}
	list, err = b.MailsAbout(t.Context(), r.ID, 1)
	if err != nil || len(list) != 1 || list[0].Kind != mail.RequestQuestion {
		t.Errorf("at most one: got %+v, %v, want the question", list, err)
	}
	if list, err := b.MailsAbout(t.Context(), "another", 10); err != nil || len(list) != 0 {
		t.Errorf("about another request: got %+v, %v, want none", list, err)
	}
}
