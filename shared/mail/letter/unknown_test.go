package letter

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
)

// stuffed returns a request with a call-back number in every field that a stranger fills in, under a victim's address.
func stuffed() request.Request {
	r := testRequest()
	r.Email = "victim@example.org"
	r.Name, r.Company, r.Country = "Call Eight Zero Zero", "Call 800 555 0123 Ltd", "Call us"
	r.Phone, r.Message, r.Replaces = "800 555 0123", "Your account is suspended. Call 800 555 0123", "CALL-800-555-0123"
	r.Contacts = []string{"call8005550123@example.org"}
	r.Server, r.Loc, r.WantedLoc, r.ProductVersion = "NOW-CALL8005550123-SIR", 8005550123, 8005550124, "800.555.123"
	return r
}

// TestLettersToUnconfirmedAddressesNameNothingTyped writes every letter that can go to an address which nobody has
// confirmed.
func TestLettersToUnconfirmedAddressesNameNothingTyped(t *testing.T) {
	waiting := stuffed()
	waiting.Unconfirmed = true
	reviewed := stuffed() // an operator took it into review without a confirmation
	foreign := stuffed()  // through a forwarded link, then taken into review
	foreign.Link = &request.Link{Contact: "contact@example.org"}
	linked := stuffed()
	linked.Link, linked.Bound = &request.Link{Contact: "Victim@EXAMPLE.org"}, true
	for state, r := range map[string]request.Request{
		"waiting": waiting, "in review": reviewed, "forwarded link": foreign, "linked": linked,
	} {
		list := []notice.Notice{notice.RequestReceived(r), notice.RequestReceivedAgain(r, "again")}
		if state != "linked" {
			closed := r
			closed.State = request.Withdrawn
			list = append(list, notice.RequestQuestion(r, 1), notice.RequestClosed(r, 1, "sam"),
				notice.RequestClosed(closed, 1, "sam"), notice.RequestsToConfirm(r, "4"))
		}
		for _, n := range list {
			m, err := letters.Write(n, notice.Records{Request: r, Requests: []request.Request{r}}, testCatalog(), Call{})
			if err != nil {
				t.Errorf("%s, %s: %v", state, n.Kind, err)
				continue
			}
			m.Attempt = 0
			told := fmt.Sprint(m)
			for _, typed := range []string{"0123", "0124", "Call", "CALL", "call8", "suspended", "800", "555", "8'005"} {
				if strings.Contains(told, typed) {
					t.Errorf("%s, %s: got %q of the stranger in\n%s", state, n.Kind, typed, m.TextBody())
				}
			}
			if !strings.Contains(told, "NOW-…-SIR") ||
				n.Kind != mail.RequestsToConfirm && !strings.Contains(told, "more than 5'000'000") ||
				!strings.Contains(told, string(r.Reference)) || m.To.Name != "" || m.Greeting != "Hello," {
				t.Errorf("%s, %s: want the ends of the server ID, the threshold, the reference and no name in\n%s",
					state, n.Kind, m.TextBody())
			}
		}
	}
}

// TestOnlyTheLetterThatAsksHasTheSecret holds that the secret goes nowhere but into the letter to its address.
func TestOnlyTheLetterThatAsksHasTheSecret(t *testing.T) {
	r := stuffed()
	r.Secret = "NBSWY3DPEB3W64TMMQ"
	linked := r
	linked.Link, linked.Bound = &request.Link{Contact: r.Email}, true
	confirmed := r
	confirmed.Confirmed = time.Unix(1, 0)
	for _, tt := range []struct {
		r     request.Request
		n     notice.Notice
		wants int // in text and HTML
	}{
		{r, notice.RequestReceived(r), 1},
		{linked, notice.RequestReceived(linked), 0},
		{confirmed, notice.RequestReceived(confirmed), 0},
		{r, notice.RequestNew(r), 0},
		{r, notice.RequestQuestion(r, 1), 0},
		{r, notice.RequestClosed(r, 1, "sam"), 0},
	} {
		m, err := letters.Write(tt.n, notice.Records{Request: tt.r}, nil, Call{})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(m.Text, r.Secret); got != tt.wants {
			t.Errorf("%s: got the secret %d times in the text, want %d", m.Kind, got, tt.wants)
		}
		if got := strings.Count(m.HTML, r.Secret) > 0; got != (tt.wants > 0) || strings.Contains(m.Subject, r.Secret) {
			t.Errorf("%s: got the secret in the HTML: %v, want %v", m.Kind, got, tt.wants > 0)
		}
	}
}

func TestThresholdCoversTheLines(t *testing.T) {
	for lines, want := range map[int64]string{
		0: "up to 100'000", 100_000: "up to 100'000", 100_001: "up to 500'000", 5_000_001: "more than 5'000'000",
	} {
		if got := letters.threshold(lines); got != want {
			t.Errorf("%d lines: got %q, want %q", lines, got, want)
		}
	}
	if got := (Writer{}).threshold(5); got != "" {
		t.Errorf("no catalog: got %q, want none", got)
	}
}

func TestServerIsNamedByItsEnds(t *testing.T) {
	for id, want := range map[license.Server]string{
		"AWHW8w9JtzBzSrmf9GQX": "AWHW…9GQX", "4A6F8E2B-AWHW8w9JtzBzSrmf9GQX": "4A6F…9GQX", "12345678": "…", "": "…",
	} {
		if got := id.Ends(); got != want {
			t.Errorf("%s: got %s, want %s", id, got, want)
		}
	}
}
