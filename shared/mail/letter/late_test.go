package letter

import (
	"strings"
	"testing"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
)

// lateLetter writes the letter about a request that was due on Tue 6 Mar 2018 at 16:30 in Zurich, at a time after that.
func lateLetter(t *testing.T, n func(request.Request) notice.Notice, after time.Duration,
	change func(*request.Request)) mail.Message {
	t.Helper()
	w := letters
	var err error
	if w.Hours, err = w.Hours.In("Europe/Zurich"); err != nil {
		t.Fatal(err)
	}
	r := testRequest()
	r.State, r.Due = request.InReview, time.Date(2018, 3, 6, 15, 30, 0, 0, time.UTC)
	r.Reviewer = "robin@vendor.example"
	change(&r)
	m, err := w.Write(n(r), notice.Records{Request: r, Reviewer: "Robin", Now: r.Due.Add(after)}, nil, Call{})
	if err != nil {
		t.Fatal(err)
	}
	m.Text = strings.Join(strings.Fields(m.TextBody()), " ")
	return m
}

var robin = license.Contact{Name: "Robin Sample", Email: "robin@vendor.example"}

func toRobin(r request.Request) notice.Notice { return notice.RequestLate(r, robin) }

func TestReviewerReadsWhichRequestIsLate(t *testing.T) {
	m := lateLetter(t, toRobin, 8*time.Minute, func(*request.Request) {})
	if m.To.Email != robin.Email || m.ReplyTo != letters.Sales {
		t.Errorf("got it to %v, replies to %v", m.To, m.ReplyTo)
	}
	r := testRequest()
	for _, want := range []string{
		"Hello Robin Sample,", "You are reviewing this license request.",
		"The reply was due by Tuesday 06 Mar 2018, 16:30 (Zurich time), 8 minutes ago.", "still waiting",
		string(r.Reference), r.Company, r.Kind.Name(), r.Edition.Name(), "Received: ",
		letters.URL + "/console/requests/" + r.ID, "within two office hours, we will email " + letters.Sales.Email,
	} {
		if !strings.Contains(m.Text, want) {
			t.Errorf("got no %q in %s", want, m.Text)
		}
	}
	for _, secret := range []string{r.Token, r.Secret, r.Email} {
		if secret != "" && strings.Contains(m.Text, secret) {
			t.Errorf("got %q, which nobody needs to know, in %s", secret, m.Text)
		}
	}
}

func TestSalesReadWhoReviewsALateRequest(t *testing.T) {
	nobody := func(r *request.Request) { r.State, r.Reviewer = request.Received, "" }
	told := func(r *request.Request) {
		r.LateTold = request.LateTold{Due: r.Due, Reviewer: r.Due.Add(8 * time.Minute)}
	}
	before := func(r *request.Request) {
		r.LateTold = request.LateTold{Due: r.Due.AddDate(0, 0, -7), Reviewer: r.Due.AddDate(0, 0, -7)}
	}
	for name, tt := range map[string]struct {
		change      func(*request.Request)
		after       time.Duration
		want, never string
	}{
		"nobody": {nobody, time.Minute, "Nobody is reviewing this license request. The reply was due by Tuesday " +
			"06 Mar 2018, 16:30 (Zurich time), 1 minute ago.", "Reviewer"},
		"the reviewer was told": {told, 17 * time.Hour, "Reviewer told: Tuesday 06 Mar 2018, 16:38 (Zurich time)",
			"Nobody is"},
		"the reviewer was told of another deadline": {before, 17 * time.Hour, "Robin is reviewing this license request." +
			" The reply was due by Tuesday 06 Mar 2018, 16:30 (Zurich time), 17 hours ago.", "Reviewer told"},
	} {
		m := lateLetter(t, notice.RequestLateSales, tt.after, tt.change)
		if m.To != letters.Sales || !strings.Contains(m.Text, tt.want) || strings.Contains(m.Text, tt.never) {
			t.Errorf("%s: want %q without %q to sales, got %s", name, tt.want, tt.never, m.Text)
		}
	}
}

func TestLateLetterNeedsItsRecords(t *testing.T) {
	r := testRequest()
	for name, on := range map[string]notice.Records{
		"another request": {Request: request.Request{ID: "other"}, Now: r.Due}, "no time": {Request: r},
	} {
		if m, err := letters.Write(notice.RequestLateSales(r), on, nil, Call{}); err == nil {
			t.Errorf("%s: got the letter %q, want an error", name, m.Subject)
		}
	}
}

func TestElapsedIsInWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "1 minute", 119 * time.Second: "1 minute", 2 * time.Minute: "2 minutes", 119 * time.Minute: "119 minutes",
		2 * time.Hour: "2 hours", 47*time.Hour + 59*time.Minute: "47 hours", 48 * time.Hour: "2 days",
	} {
		if got := elapsed(d); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
}
