package letter

import (
	"strings"
	"testing"

	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
)

// asked is a notice that asks somebody about a request in which a stranger typed an advertisement wherever possible.
func asked(kind mail.Kind) told {
	const ad = "call 0800-555-0123 at evil.example"
	r := testRequest()
	r.Name, r.Company, r.Country, r.Message, r.Replaces, r.Phone = ad, ad, ad, ad, ad, ad
	r.Contacts, r.Server, r.Secret = []string{"ad@evil.example"}, "08005550123-ABCDEFGHIJKLMNOPQRST", "confirming"
	r.Loc, r.WantedLoc, r.ProductVersion = 8_005_550_123, 0, "6.7.5"
	another := r
	another.ID, another.Reference = "01c6x2m4vj8q0n5r7t9w3y1z2x", "R-0M8WXC"
	on := notice.Records{Request: r, Requests: []request.Request{another}, Organization: "Acme AG",
		Server: "4A6F8E2B-AWHW8w9JtzBzSrmf9GQX"}
	if kind == mail.RequestAsk {
		return told{notice.RequestAsk(r, zoe, "answering"), on}
	}
	return told{notice.RequestsToConfirm(r, "4"), on}
}

func TestAskingRepeatsNothingThatAStrangerTyped(t *testing.T) {
	for _, kind := range []mail.Kind{mail.RequestAsk, mail.RequestsToConfirm} {
		tt := asked(kind)
		m, err := letters.Write(tt.Notice, tt.on, testCatalog(), Call{})
		if err != nil {
			t.Fatal(err)
		}
		for _, typed := range []string{"evil", "0800-555", "08005550123", "005'550", "8005550123", "8'005"} {
			if all := m.Subject + m.Text + m.HTML + m.To.Name; strings.Contains(all, typed) {
				t.Errorf("%s: got the stranger's %q in\n%s", kind, typed, m.Text)
			}
		}
		if !strings.Contains(m.Text, "0800…QRST") || !strings.Contains(m.Text, "R-7K3Q9F") {
			t.Errorf("%s: got no ends of the server ID, or no reference, in\n%s", kind, m.Text)
		}
	}
}

func TestContactIsAskedByAPrivateLink(t *testing.T) {
	tt := asked(mail.RequestAsk)
	for _, n := range []notice.Notice{tt.Notice, tt.Repeated()} {
		m, err := letters.Write(n, tt.on, nil, Call{})
		want := "https://licenses.example.com/answer/" + tt.About + "?mail=" + tt.ID + "&token=answering"
		if err != nil || strings.Count(m.Text, "https://") != 1 || !strings.Contains(m.Text, "\n"+want+"\n") {
			t.Errorf("%v: want the one link %s in\n%s", err, want, m.Text)
		}
		if m.To.Email != zoe.Email || !strings.Contains(m.Text, "4A6F8E2B-AWHW8w9JtzBzSrmf9GQX") ||
			!strings.Contains(m.Text, "Acme AG") || !strings.Contains(m.Text, tt.on.Request.Email) {
			t.Errorf("got a letter to %s without the server, the company or who asks:\n%s", m.To.Email, m.Text)
		}
	}
	tt.on.Request.Server = tt.on.Server
	if m, err := letters.Write(tt.Notice, tt.on, nil, Call{}); err != nil || strings.Contains(m.Text, "Requested for") {
		t.Errorf("%v: got two servers where the request is for the same:\n%s", err, m.Text)
	}
}

func TestRequestsToConfirmAreListedWithTheLinkOfTheirOwn(t *testing.T) {
	tt := asked(mail.RequestsToConfirm)
	m, err := letters.Write(tt.Notice, tt.on, nil, Call{})
	if err != nil || !strings.Contains(m.Text, "R-0M8WXC") || !strings.Contains(m.Subject, "2") ||
		!strings.Contains(m.Text, letters.ConfirmURL(tt.on.Request)+"\n") {
		t.Errorf("%v: want both requests and the newest one's link in %q\n%s", err, m.Subject, m.Text)
	}
}

func TestSalesReadWhatAContactAnswered(t *testing.T) {
	r := testRequest()
	for yes, want := range map[bool]string{true: "counts as the customer's own", false: "Do not grant"} {
		a := request.Answer{By: "ADA@acme.example", At: r.Created, Yes: yes}
		r.Answers = []request.Answer{{By: "bob@acme.example", Yes: !yes}, a}
		n := notice.RequestAnswered(r, request.Answer{By: "ada@acme.example"})
		m, err := letters.Write(n, notice.Records{Request: r}, nil, Call{})
		if err != nil || !strings.Contains(strings.Join(strings.Fields(m.Text), " "), want) ||
			m.To.Email != letters.Sales.Email {
			t.Errorf("yes: %v: %v; want %q to sales in\n%s", yes, err, want, m.Text)
		}
	}
	r.Answers = nil
	n := notice.RequestAnswered(r, request.Answer{By: "ada@acme.example"})
	if _, err := letters.Write(n, notice.Records{Request: r}, nil, Call{}); err == nil {
		t.Error("got a letter about an answer that is not on record, want an error")
	}
}

func TestSalesReadOfTheDomainThatManyRequestsComeFrom(t *testing.T) {
	r := testRequest()
	m, err := letters.Write(notice.RequestsOfDomain(r, license.Date{Year: 2018, Month: 2, Day: 26}),
		notice.Records{Request: r}, nil, Call{})
	if err != nil || !strings.Contains(m.Subject, "xn--mller-kva.example") {
		t.Errorf("%v: got the subject %q, want the domain in it", err, m.Subject)
	}
}
