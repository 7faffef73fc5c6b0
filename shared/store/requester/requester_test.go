package requester_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/requester"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table"
	"marketplace/shared/table/tabletest"
)

const (
	sam                  = "sam@vendor.example"
	jane                 = "jane.doe@customer.example"
	byLink requester.Who = ""
)

// testEnv is a store whose audit is looked at, with a clock that only tests move.
type testEnv struct {
	*store.Store
	asked *requester.Store
	t     *testing.T
	now   time.Time
}

func newTestEnv(t *testing.T) *testEnv {
	e := &testEnv{t: t, now: time.Date(2018, 3, 5, 9, 30, 0, 0, time.UTC)}
	e.Store = store.New(&storetest.Audited{Table: &tabletest.Memory{}, Fail: t.Errorf},
		store.Options{Now: func() time.Time { return e.now }})
	e.asked = requester.New(e.Store)
	return e
}

func (e *testEnv) must(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
}

var wanted = request.Details{
	Kind: request.New, Edition: license.Developer, Server: "AWHW8w9JtzBzSrmf9GQX", Loc: 120_000,
	ProductVersion: "6.7.1", Name: "Jane Doe", Email: jane, Company: "Customer AG", Country: "Switzerland",
}

// file files a request that the person behind its address confirms, an hour ago.
func (e *testEnv) file() request.Request {
	e.t.Helper()
	r, _, err := storetest.FileRequest(e.t.Context(), e.Store, wanted, "")
	e.must(err)
	e.now = e.now.Add(time.Hour)
	return r
}

func (e *testEnv) read(id string) request.Request {
	e.t.Helper()
	r, err := e.Request(e.t.Context(), id)
	e.must(err)
	return r
}

// ask has sales ask a question about a request.
func (e *testEnv) ask(r request.Request, question string) request.Request {
	e.t.Helper()
	_, err := e.Review(e.t.Context(), store.Review{ID: r.ID, Version: r.Version, By: sam, To: request.Waiting,
		Text: question})
	e.must(err)
	return e.read(r.ID)
}

// mails are the emails about a request that tell of what its customer did, by the ends of their IDs.
func (e *testEnv) mails(id string) (list []string) {
	e.t.Helper()
	all, err := e.MailsAbout(e.t.Context(), id, 100)
	e.must(err)
	for _, m := range all {
		for _, what := range []string{"answered", "corrected", "cancelled", "withdrawn", "received-"} {
			if strings.HasPrefix(m.What(), what) {
				list = append(list, strings.TrimSuffix(what, "-"))
			}
		}
	}
	slices.Sort(list)
	return list
}

func (e *testEnv) wantConflict(what string, err error) {
	e.t.Helper()
	if fault.KindOf(err) != fault.Conflict {
		e.t.Errorf("%s: got %v, want a conflict", what, err)
	}
}

func TestAnswerResumesTheReviewOfWhoAsked(t *testing.T) {
	e := newTestEnv(t)
	r := e.ask(e.file(), "Which version?")
	e.now = e.now.Add(72 * time.Hour)
	for range 2 { // a double click
		e.must(e.asked.AnswerQuestion(t.Context(), r.ID, byLink, "Which version?", "6.7.5"))
	}
	after := e.read(r.ID)
	if after.State != request.InReview || after.Reviewer != sam || !after.Due.Equal(e.Hours().Due(e.now)) ||
		after.Response == nil || after.Response.Text != "6.7.5" || after.Response.By != "" {
		t.Errorf("got %+v, want it in review by sam, due anew", after)
	}
	if got := e.mails(r.ID); !slices.Equal(got, []string{"answered"}) {
		t.Errorf("got emails %v, want one to sales", got)
	}
	events, err := e.RequestTimeline(t.Context(), r.ID)
	e.must(err)
	last := events[len(events)-1]
	if last.Action != store.QuestionAnswered || last.By != store.Customer || last.Note != "6.7.5" {
		t.Errorf("got %+v on the timeline, want the answer", last)
	}
}

func TestAnswerToAnotherQuestionIsRefused(t *testing.T) {
	e := newTestEnv(t)
	r := e.ask(e.file(), "Which version?")
	e.must(e.asked.AnswerQuestion(t.Context(), r.ID, byLink, "Which version?", "6.7.5"))
	e.wantConflict("another answer", e.asked.AnswerQuestion(t.Context(), r.ID, byLink, "Which version?", "7.1"))
	again := e.ask(e.read(r.ID), "Which edition?")
	if again.Response != nil {
		t.Errorf("got %+v, want no answer to the new question", again.Response)
	}
	e.wantConflict("the old question", e.asked.AnswerQuestion(t.Context(), r.ID, byLink, "Which version?", "7.1"))
}

func TestCancelledRequestEndsAndIsDeletedLater(t *testing.T) {
	e := newTestEnv(t)
	r := e.file()
	for range 2 {
		e.must(e.asked.CancelRequest(t.Context(), r.ID, byLink))
	}
	after := e.read(r.ID)
	if after.State != request.Withdrawn || !after.Cancelled || after.Reason != "" || after.Undo != nil ||
		!after.Closed.Equal(e.now) || after.Expires.IsZero() {
		t.Errorf("got %+v, want it withdrawn for good", after)
	}
	if got := e.mails(r.ID); !slices.Equal(got, []string{"cancelled", "withdrawn"}) {
		t.Errorf("got emails %v, want one to sales and one to the customer", got)
	}
	e.wantConflict("a correction", e.asked.CorrectRequest(t.Context(), r.ID, byLink, after.Version, corrected()))
}

func TestCancellingAnUnconfirmedRequestMailsNobody(t *testing.T) {
	e := newTestEnv(t)
	r, _, err := e.FileRequest(t.Context(), store.Filing{Details: wanted})
	e.must(err)
	e.must(e.asked.CancelRequest(t.Context(), r.ID, byLink))
	if got := e.mails(r.ID); len(got) > 0 {
		t.Errorf("got emails %v, want none: sales do not know of it, and anybody may have typed the address", got)
	}
	if n, err := e.TellUnconfirmed(t.Context()); n != 0 || err != nil {
		t.Errorf("got %d requests told of, %v; want none", n, err)
	}
}

func TestClosedRequestIsNotCancelled(t *testing.T) {
	e := newTestEnv(t)
	r := e.file()
	no := store.Review{ID: r.ID, Version: r.Version, By: sam, To: request.Rejected, Text: "No"}
	_, err := e.Review(t.Context(), no)
	e.must(err)
	e.wantConflict("within the minute", e.asked.CancelRequest(t.Context(), r.ID, byLink))
	e.now = e.now.Add(2 * request.UndoFor)
	e.wantConflict("after it", e.asked.CancelRequest(t.Context(), r.ID, byLink))
	if after := e.read(r.ID); after.State != request.Rejected {
		t.Errorf("got it %s, want rejected", after.State)
	}
}

func corrected() request.Details {
	d := wanted
	d.Server = "AWHW8w9JtzBzSrmf9GQY"
	return d
}

// TestCorrectionByTheLinkProvesNothing has somebody who typed another's address change the server ID after that person
// confirmed the request.
func TestCorrectionByTheLinkProvesNothing(t *testing.T) {
	e := newTestEnv(t)
	r := e.file()
	e.must(e.asked.CorrectRequest(t.Context(), r.ID, byLink, r.Version, corrected()))
	after := e.read(r.ID)
	if after.Server != "AWHW8w9JtzBzSrmf9GQY" || !after.Confirmed.IsZero() || !after.Unconfirmed ||
		after.Secret == r.Secret || after.Token != r.Token {
		t.Errorf("got %+v, want it to be confirmed again with another secret", after)
	}
	if got := e.mails(r.ID); !slices.Equal(got, []string{"corrected", "received"}) {
		t.Errorf("got emails %v, want one to sales and one that asks to confirm", got)
	}
	if err := e.ConfirmRequests(t.Context(), r.ID, r.Secret, r.ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("got %v for the earlier email's secret, want not found", err)
	}
	e.must(e.ConfirmRequests(t.Context(), r.ID, after.Secret, r.ID))
	if after := e.read(r.ID); after.Confirmed.IsZero() || after.Unconfirmed {
		t.Errorf("got %+v, want it confirmed", after)
	}
}

// TestCorrectionOfAnOldRequestCanBeConfirmed for as many days as a new one.
func TestCorrectionOfAnOldRequestCanBeConfirmed(t *testing.T) {
	e := newTestEnv(t)
	r := e.file()
	e.now = e.now.AddDate(0, 0, request.ConfirmDays+1)
	e.must(e.asked.CorrectRequest(t.Context(), r.ID, byLink, r.Version, corrected()))
	for _, tt := range []struct{ days, closed int }{{0, 0}, {20, 0}, {request.ConfirmDays - 21, 0}, {4, 1}} {
		e.now = e.now.AddDate(0, 0, tt.days)
		if n, err := e.CloseUnconfirmed(t.Context(), 9); n != tt.closed || err != nil {
			t.Errorf("on %s: got %d requests closed, %v, want %d", e.now, n, err, tt.closed)
		}
	}
}

// TestSalesAreToldOfAnUnconfirmedRequestAsItIsNow, if they were told of it before it was corrected.
func TestSalesAreToldOfAnUnconfirmedRequestAsItIsNow(t *testing.T) {
	e := newTestEnv(t)
	r, _, err := e.FileRequest(t.Context(), store.Filing{Details: wanted})
	e.must(err)
	for day, want := range []int{1, 0, 1, 0} {
		if day == 2 {
			e.must(e.asked.CorrectRequest(t.Context(), r.ID, byLink, r.Version, corrected()))
		}
		if n, err := e.TellUnconfirmed(t.Context()); n != want || err != nil {
			t.Errorf("on day %d: got %d requests told of, %v, want %d", day, n, err, want)
		}
		e.now = e.now.AddDate(0, 0, 1)
	}
}

func TestCorrectionVoidsWhatWasSaidAboutTheRequest(t *testing.T) {
	e := newTestEnv(t)
	r := e.file()
	of := storetest.Customer(t, e.Store, "Acme AG", license.Contact{Email: "ada@acme.example"})
	change := store.RequestChange{ID: r.ID, By: sam}
	e.must(e.LinkRequest(t.Context(), change, of.ID, ""))
	e.must(e.AskContacts(t.Context(), change, license.Contact{Email: "ada@acme.example"}))
	e.must(e.AnswerRequest(t.Context(), r.ID, "ada@acme.example", true))
	e.must(e.VouchFor(t.Context(), change, request.Vouch{Customer: of.ID, Server: r.Server, Email: r.Email}))
	e.must(e.asked.CorrectRequest(t.Context(), r.ID, jane, e.read(r.ID).Version, corrected()))
	after := e.read(r.ID)
	if len(after.Answers) > 0 || len(after.AskedOf) > 0 || after.Vouch != nil || after.Confirmed.IsZero() ||
		after.Unconfirmed {
		t.Errorf("got %+v, want nobody's word but the owner's of the address", after)
	}
}

func TestOwnerWhoIsSignedInConfirmsByCorrecting(t *testing.T) {
	e := newTestEnv(t)
	r, _, err := e.FileRequest(t.Context(), store.Filing{Details: wanted})
	e.must(err)
	e.must(e.asked.CorrectRequest(t.Context(), r.ID, "Jane.Doe@Customer.example", r.Version, corrected()))
	after := e.read(r.ID)
	if after.Confirmed.IsZero() || after.Unconfirmed {
		t.Errorf("got %+v, want it confirmed", after)
	}
	all, err := e.MailsAbout(t.Context(), r.ID, 9)
	e.must(err)
	if !slices.ContainsFunc(all, func(m outbox.Mail) bool { return m.What() == "confirmed-1" }) {
		t.Errorf("got %v, want sales told of the request", all)
	}
}

func TestCorrectionOfWhatChangedMeanwhileIsRefused(t *testing.T) {
	e := newTestEnv(t)
	r := e.file()
	e.ask(r, "Which version?")
	e.wantConflict("correction", e.asked.CorrectRequest(t.Context(), r.ID, byLink, r.Version, corrected()))
	e.must(e.asked.CorrectRequest(t.Context(), r.ID, byLink, r.Version, wanted)) // nothing to correct
	if after := e.read(r.ID); after.Server != wanted.Server || after.Confirmed.IsZero() {
		t.Errorf("got %+v, want it as it was", after)
	}
}

func TestCorrectionsAreFew(t *testing.T) {
	e := newTestEnv(t)
	r := e.file()
	for i := range request.MaxCorrections {
		d := corrected()
		d.Loc = int64(i)
		e.must(e.asked.CorrectRequest(t.Context(), r.ID, jane, e.read(r.ID).Version, d))
	}
	e.wantConflict("one more", e.asked.CorrectRequest(t.Context(), r.ID, jane, e.read(r.ID).Version, wanted))
}

// TestBoundRenewalIsCorrectedWithinItsLink has the holder of a reminder's link ask for more lines of code.
func TestBoundRenewalIsCorrectedWithinItsLink(t *testing.T) {
	e := newTestEnv(t)
	d := wanted
	d.Kind, d.Loc, d.ProductVersion, d.Country, d.WantedLoc = request.Renewal, 0, "", "", 500_000
	r, _, err := e.FileRequest(t.Context(), store.Filing{Details: d, Bound: true,
		Link: &request.Link{Mail: "m1", Contact: jane, License: "l1"}})
	e.must(err)
	f := request.CorrectionOf(r)
	f.WantedLoc, f.Server = "1000000", "AWHW8w9JtzBzSrmf9GQY"
	more, err := f.Accept(r)
	e.must(err)
	e.must(e.asked.CorrectRequest(t.Context(), r.ID, byLink, r.Version, more))
	after := e.read(r.ID)
	if after.Server != wanted.Server || after.WantedLoc != 1_000_000 || !after.Bound || after.Unconfirmed {
		t.Errorf("got %+v, want more lines for the same server", after)
	}
	if got := e.mails(r.ID); !slices.Equal(got, []string{"corrected"}) {
		t.Errorf("got emails %v, want one to sales alone", got)
	}
}

func TestColleagueWhoAnswersIsFoundByTheAddress(t *testing.T) {
	e := newTestEnv(t)
	r := e.ask(e.file(), "Which version?")
	e.must(e.asked.AnswerQuestion(t.Context(), r.ID, "bob@customer.example", "Which version?", "6.7.5"))
	named := table.Query{PK: rowkey.NamedPK("bob@customer.example")}
	rows, _, err := e.Table().First(t.Context(), named, 9)
	e.must(err)
	if len(rows) != 1 || e.read(r.ID).Response.By != "bob@customer.example" {
		t.Errorf("got %v, want the request found by who answered", rows)
	}
}

// TestNewServerIDMakesAPlannedReplacementDue: it was filed before the ID changed, and waited for the new one.
func TestNewServerIDMakesAPlannedReplacementDue(t *testing.T) {
	e := newTestEnv(t)
	d := wanted
	d.Kind, d.Environment, d.OldServer, d.Replaces = request.Replacement, request.ProductionUse, request.OldRunning,
		string(wanted.Server)
	d.Change, d.Planned = request.DatabaseMoved, license.DateOf(e.now.AddDate(0, 2, 0))
	d.Before = d.Server
	r, _, err := storetest.FileRequest(t.Context(), e.Store, d, "")
	e.must(err)
	if want := e.Hours().Due(d.Planned.End()); !r.Due.Equal(want) || r.Summary().Planned != d.Planned {
		t.Fatalf("got due on %v, planned for %v in lists; want %v and the day", r.Due, r.Summary().Planned, want)
	}
	d.Server = "4A6F8E2B-" + wanted.Server
	e.must(e.asked.CorrectRequest(t.Context(), r.ID, jane, r.Version, d))
	r = e.read(r.ID)
	if want := e.Hours().Due(e.now); !r.Due.Equal(want) || !r.Summary().Planned.IsZero() {
		t.Errorf("got due on %v, planned for %v in lists; want %v and none", r.Due, r.Summary().Planned, want)
	}
}
