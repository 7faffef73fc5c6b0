package site

import (
	"slices"
	"strings"
	"testing"
	"time"

	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/entity"
)

// TestCustomerSeesNothingOfAnEndThatCanBeUndone: page, answers for programs and a repeated request stay as they were
// for a minute, and for good if the end is undone.
func TestCustomerSeesNothingOfAnEndThatCanBeUndone(t *testing.T) {
	for _, end := range []request.State{request.Rejected, request.Withdrawn} {
		env := newTestEnv(t)
		r, page := env.fileForm()
		r = env.review(r, request.InReview, "")
		public, private := apiPath+"/"+r.ID, apiPath+"/"+r.ID+"?token="+r.Token
		seen := func() (all []string) {
			for _, path := range []string{page, public, private} {
				all = append(all, env.get(path).WantStatus(200).Body)
			}
			return all
		}
		before := seen()
		ended := env.review(r, end, "There is no contract.")
		env.pass(-time.Millisecond)
		for i, body := range seen() {
			if body != before[i] {
				t.Errorf("%s: while it can be undone, got\n%s\nwant as before\n%s", end, body, before[i])
			}
		}
		env.pass(time.Millisecond)
		for _, body := range seen() {
			if !strings.Contains(body, string(end)) && !strings.Contains(body, "The request was declined") {
				t.Errorf("%s: after the minute, got\n%s", end, body)
			}
		}
		env.pass(-time.Second)
		if err := env.store.UndoReview(t.Context(), r.ID, ended.Undo.Mail, operator); err != nil {
			t.Fatal(err)
		}
		env.pass(time.Hour)
		for i, body := range seen() {
			if body != before[i] {
				t.Errorf("%s: once it was undone, got\n%s\nwant as before\n%s", end, body, before[i])
			}
		}
	}
}

func TestUndoneEndIsNoEventForTheCustomer(t *testing.T) {
	events := func(actions ...store.Action) (list []store.Event) {
		for _, a := range actions {
			list = append(list, store.Event{By: operator, Told: entity.Told{Action: a}})
		}
		return list
	}
	const rejected, withdrawn, noted = store.RequestRejected, store.RequestWithdrawn, store.NoteAdded
	for name, tt := range map[string]struct {
		actions  []store.Action
		undoable bool
		want     []store.Action
	}{
		"ended":    {[]store.Action{noted, rejected}, false, []store.Action{noted, rejected}},
		"undoable": {[]store.Action{rejected, noted}, true, []store.Action{noted}},
		"undone":   {[]store.Action{rejected, noted, store.RejectionUndone}, false, []store.Action{noted}},
		"undone and ended": {[]store.Action{rejected, store.RejectionUndone, withdrawn}, false,
			[]store.Action{withdrawn}},
		"undone and undoable": {[]store.Action{withdrawn, store.WithdrawalUndone, withdrawn}, true, nil},
	} {
		var got []store.Action
		for _, e := range knownEvents(events(tt.actions...), tt.undoable) {
			got = append(got, e.Action)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}
