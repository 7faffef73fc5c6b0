package letter

import (
	"slices"
	"strings"
	"testing"

	"marketplace/shared/license"
	"marketplace/shared/mail/eml"
	"marketplace/shared/mail/notice"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
)

// told is a notice with the records of its subject.
type told struct {
	notice.Notice
	on notice.Records
}

// notices returns one of each kind, by name.
func notices() map[string]told {
	r := testRequest()
	r.Version = 3
	asked, rejected, withdrawn, unconfirmed := r, r, r, r
	asked.State, asked.Question = request.Waiting, "Is the old server off for good?"
	rejected.State, rejected.Reason = request.Rejected, "There is no license for this server."
	withdrawn.State, withdrawn.Reason = request.Withdrawn, "The customer called."
	unconfirmed.Unconfirmed = true

	keys := testDelivery().Licenses
	l := keys[0]
	today := l.Expiration.AddDays(-62)
	both := notice.Records{
		Request: r, Licenses: keys, Today: today, Customer: named.Customer, Contracts: named.Contracts,
	}
	one := both
	one.Request, one.Licenses, one.Contacts = request.Request{}, keys[:1], []license.Contact{zoe}
	outlived := one
	outlived.ContractLast = threeYears
	change := notice.ContactChange{Customer: "01c6x2m4vj8q0n5r7t9w3y1z2d", Version: 7,
		Contacts: []license.Contact{zoe}, By: "sales@example.com", Until: today.AddDays(14)}
	to := func(c license.Contact, n notice.Notice) notice.Notice { one, _ := n.ForContact(c); return one }
	left := to(zoe, notice.ContactRemoved(change))
	left.Nonce = "secret"
	ofCustomer := notice.Records{Customer: named.Customer, Organization: l.Organization, Today: today}
	moves := []notice.Move{{From: "AWHW8w9JtzBzSrmf9GQX", To: l.Server}}
	revoked := one
	revoked.Licenses = slices.Clone(one.Licenses)
	revoked.Licenses[0].Revoked = r.Created
	bridge := one
	bridge.Licenses = bridged(Delivery{Licenses: one.Licenses}).Licenses
	about := func(r request.Request) notice.Records { return notice.Records{Request: r, Today: today} }
	return map[string]told{
		"received":  {notice.RequestReceived(r), about(r)},
		"corrected": {notice.RequestReceivedAgain(r, "corrected"), about(r)},
		"new":       {notice.RequestNew(r), about(r)},
		"question":  {notice.RequestQuestion(asked, 2), about(asked)},
		"rejected":  {notice.RequestClosed(rejected, 2, "sales@example.com"), about(rejected)},
		"withdrawn": {notice.RequestClosed(withdrawn, 2, "sales@example.com"), about(withdrawn)},
		"key":       {notice.LicenseKey(keys[:1], zoe), one},
		"keys":      {notice.LicenseKey(keys, zoe), both},
		"key again": {notice.LicenseKeyAgain(l, zoe, "n1"), one},
		"expiring":  reminderTo(zoe, today, expiring(l)),
		"stopped":   stoppedBy(zoe, today, expiring(l)),
		"coming":    reminderTo(zoe, today, goingOn(l)),
		"next key":  {notice.LicenseNextKey(l, reminder.MonthsBefore(2)), outlived},
		"unreached": {notice.LicenseUnreached(l), one},
		"moved":     {to(zoe, notice.LicenseMoved(keys[:1], moves, "sales@example.com")), one},
		"bridged":   {to(zoe, notice.LicenseMoved(bridge.Licenses, moves, "system")), bridge},
		"revoked":   {to(zoe, notice.LicenseRevoked(l, "Never paid.", "sales@example.com")), revoked},
		"added":     {to(it, notice.ContactAdded(change)), ofCustomer},
		"removed":   {to(it, notice.ContactRemoved(change)), ofCustomer},
		"left":      {left, ofCustomer},
		"unconfirmed": {
			notice.RequestsUnconfirmed([]request.Summary{unconfirmed.Summary()}, today),
			notice.Records{Requests: []request.Request{r, unconfirmed}, Today: today},
		},
	}
}

func TestWriteAddressesTheLetterOfEveryKind(t *testing.T) {
	for name, tt := range notices() {
		m, err := letters.Write(tt.Notice, tt.on, testCatalog(), Call{Attempt: 1})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if m.ID != tt.ID || m.About != tt.About || m.Kind != tt.Kind || m.Attempt != 1 || !eml.ValidID(m.ID) {
			t.Errorf("%s: got ID %s, about %s, kind %s, attempt %d", name, m.ID, m.About, m.Kind, m.Attempt)
		}
		want := tt.To.Email
		if tt.Kind.ToSales() {
			want = letters.Sales.Email
		}
		if m.To.Email != want {
			t.Errorf("%s: got a letter to %s, want %s", name, m.To.Email, want)
		}
		if strings.Contains(m.Text, "this copy") || strings.Contains(m.HTML, "this copy") {
			t.Errorf("%s: the first call's letter says that it may be a copy", name)
		}
	}
}

func TestLetterThatMayBeACopySaysSo(t *testing.T) {
	for name, tt := range notices() {
		m, err := letters.Write(tt.Notice, tt.on, nil, Call{Attempt: 2, MaybeTwice: true})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		text := strings.Join(strings.Fields(m.TextBody()), " ")
		html := parseHTML(t, m.HTMLBody()).Find("p").Text()
		for form, s := range map[string]string{"text": text, "HTML": html} {
			if strings.Count(s, maybeTwice) != 1 {
				t.Errorf("%s: the %s does not say once that the letter may be a copy:\n%s", name, form, s)
			}
		}
		if m.Attempt != 2 {
			t.Errorf("%s: got attempt %d, want 2", name, m.Attempt)
		}
	}
}

func TestLetterAboutALicenseNamesCustomerAndContract(t *testing.T) {
	for _, name := range []string{"key", "keys", "key again", "expiring", "unreached", "coming", "next key"} {
		tt := notices()[name]
		m, err := letters.Write(tt.Notice, tt.on, nil, Call{})
		if err != nil || !strings.Contains(m.Text, "C-7K3Q9F\n") || !strings.Contains(m.Text, "K-2M4XWT\n") ||
			strings.Contains(m.Text, "K-0ZZZZZ") {
			t.Errorf("%s: %v; want C-7K3Q9F and K-2M4XWT in\n%s", name, err, m.Text)
		}
		want := map[string]string{"unreached": "C-7K3Q9F", "next key": "K-2M4XWT"}[name]
		if !strings.Contains(m.Subject, want) || want == "" && strings.Contains(m.Subject, "C-7K3Q9F") {
			t.Errorf("%s: got the subject %q, want %q in it", name, m.Subject, want)
		}
		tt.on.Customer, tt.on.Contracts = "", nil
		for id, of := range tt.on.Expiring {
			of.Contract = ""
			tt.on.Expiring[id] = of
		}
		m, err = letters.Write(tt.Notice, tt.on, nil, Call{})
		if err != nil || strings.Contains(m.Text, "Customer:") || strings.Contains(m.Text, "Contract:") {
			t.Errorf("%s: %v; want no references in\n%s", name, err, m.Text)
		}
	}
}

func TestReminderUnderALongerContractSellsNoRenewal(t *testing.T) {
	for name, sells := range map[string]bool{"expiring": true, "coming": false} {
		tt := notices()[name]
		m, err := letters.Write(tt.Notice, tt.on, nil, Call{})
		if err != nil || strings.Contains(m.Text, "https://licenses.example.com/renew/") != sells ||
			strings.Contains(m.Text, "https://licenses.example.com/request") ||
			strings.Contains(m.Text, "31 Aug 2020") == sells {
			t.Errorf("%s: %v; want a renewal: %v\n%s", name, err, sells, m.Text)
		}
	}
}

func TestWhoWasRemovedCanUndoIt(t *testing.T) {
	const undo = "https://licenses.example.com/contacts/undo?customer=01c6x2m4vj8q0n5r7t9w3y1z2d&mail="
	for name, want := range map[string]bool{"left": true, "removed": false, "added": false} {
		tt := notices()[name]
		m, err := letters.Write(tt.Notice, tt.on, nil, Call{})
		if err != nil || strings.Contains(m.Text, undo+tt.ID+"&token=secret") != want ||
			strings.Contains(m.Text, "undo it until") != want {
			t.Errorf("%s: %v; want a link: %v\n%s", name, err, want, m.Text)
		}
	}
}

func TestContactsReadTheReasonAndTheServers(t *testing.T) {
	for name, want := range map[string][]string{
		"revoked": {"> Never paid.", "4A6F8E2B-AWHW8w9JtzBzSrmf9GQX"},
		"moved":   {"Old server ID:", "AWHW8w9JtzBzSrmf9GQX", "New server ID:", "4A6F8E2B-AWHW8w9JtzBzSrmf9GQX"},
		"added":   {"Zoë Müller-O’Neill, zoe@example.org", "If nobody at your company asked for this"},
	} {
		tt := notices()[name]
		m, err := letters.Write(tt.Notice, tt.on, nil, Call{})
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range want {
			if !strings.Contains(strings.Join(strings.Fields(m.Text), " "), text) {
				t.Errorf("%s: got no %q in\n%s", name, text, m.Text)
			}
		}
		if strings.Contains(m.Text, tt.Author) && tt.Author != letters.Sales.Email {
			t.Errorf("%s: the letter names the operator:\n%s", name, m.Text)
		}
	}
}

func TestUnreachedLetterListsTheContacts(t *testing.T) {
	tt := notices()["unreached"]
	tt.on.Contacts = []license.Contact{zoe, {Email: "it@example.org"}}
	m, err := letters.Write(tt.Notice, tt.on, nil, Call{})
	if err != nil || !strings.Contains(m.Text, "zoe@example.org, it@example.org") {
		t.Errorf("%v; want both contacts in\n%s", err, m.Text)
	}
}

func TestRepeatedNoticeIsWrittenLikeTheFirst(t *testing.T) {
	for name, tt := range notices() {
		first, err := letters.Write(tt.Notice, tt.on, nil, Call{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		again, err := letters.Write(tt.Repeated(), tt.on, nil, Call{})
		if err != nil || again.ID == first.ID || again.Text != first.Text || again.HTML != first.HTML {
			t.Errorf("%s: %v; got another letter:\n%s", name, err, again.Text)
		}
	}
}

func TestWriteQuotesWhatTheNoticeSays(t *testing.T) {
	for _, name := range []string{"question", "rejected", "withdrawn"} {
		tt := notices()[name]
		tt.on.Request.Question, tt.on.Request.Reason = "something older", "something older"
		m, err := letters.Write(tt.Notice, tt.on, nil, Call{})
		if err != nil || !strings.Contains(m.Text, "> "+tt.Text) || strings.Contains(m.Text, "older") {
			t.Errorf("%s: %v; want the quotation %q in\n%s", name, err, tt.Text, m.Text)
		}
	}
}

func TestWriteUsesTheCorrectedAddress(t *testing.T) {
	for _, name := range []string{"question", "rejected", "withdrawn"} {
		tt := notices()[name]
		tt.on.Request.Email = "corrected@example.org"
		m, err := letters.Write(tt.Notice, tt.on, nil, Call{})
		if err != nil || m.To.Email != "corrected@example.org" {
			t.Errorf("%s: got a letter to %s, %v; want one to the address on record", name, m.To.Email, err)
		}
	}
}

func TestWriteDeliversOnlyUsableKeys(t *testing.T) {
	tt := notices()["keys"]
	tt.on.Licenses = slices.Clone(tt.on.Licenses)
	tt.on.Licenses[0].Revoked = testRequest().Created
	other := tt.on.Licenses[1]
	other.ID, other.KeyText = "another", "AnotherKey"
	tt.on.Licenses = append(tt.on.Licenses, other)
	m, err := letters.Write(tt.Notice, tt.on, nil, Call{})
	if err != nil || len(m.Attachments) != 2 || m.Attachments[0].Name != keyFile(tt.on.Licenses[1]) ||
		m.About != tt.About || strings.Contains(m.Text, tt.on.Licenses[0].ID) ||
		strings.Contains(m.Text, other.KeyText) {
		t.Errorf("got %d attachments about %s, %v; want the one key that is not revoked\n%s",
			len(m.Attachments), m.About, err, m.Text)
	}
}

func TestKeyLetterLinksThePackageOfTheRequestedVersion(t *testing.T) {
	tt := notices()["key"]
	for version, want := range map[string]bool{"6.7.1": true, "6.8": false} {
		tt.on.Request = testRequest()
		tt.on.Request.ProductVersion = version
		m, err := letters.Write(tt.Notice, tt.on, testCatalog(), Call{})
		if got := strings.Contains(m.Text, "developer-edition-6.7.1.717.zip"); err != nil || got != want {
			t.Errorf("%s: linked %v, want %v; %v", version, got, want, err)
		}
	}
}

func TestWriteRefusesWhatItCannotWrite(t *testing.T) {
	long := strings.Repeat("k", license.MaxText+1)
	for name, tt := range map[string]struct {
		notice string
		change func(*told)
		want   string
	}{
		"unknown kind":          {"key", func(n *told) { n.Kind = "digest" }, "does not know"},
		"no kind":               {"received", func(n *told) { n.Kind = "" }, "does not know"},
		"no ID":                 {"received", func(n *told) { n.ID = "" }, "no ID"},
		"no subject":            {"received", func(n *told) { n.ID, n.About = "", "" }, "no ID"},
		"ID without an end":     {"received", func(n *told) { n.ID = n.About }, "no ID"},
		"ID of another":         {"expiring", func(n *told) { n.ID = "other--2m" }, "another subject"},
		"no recipient":          {"key", func(n *told) { n.To = license.Contact{} }, "not an email address"},
		"bad recipient":         {"left", func(n *told) { n.To.Email = "zoë@example.org" }, "not an email address"},
		"no address on record":  {"question", func(n *told) { n.on.Request.Email = "" }, "not an email address"},
		"no request":            {"received", func(n *told) { n.on.Request = request.Request{} }, "not in the records"},
		"another request":       {"question", func(n *told) { n.on.Request.ID = "other" }, "not in the records"},
		"no license":            {"expiring", func(n *told) { clear(n.on.Expiring) }, "no license needs"},
		"license is unreached":  {"unreached", func(n *told) { n.on.Licenses = nil }, "not in the records"},
		"a missing license":     {"keys", func(n *told) { n.on.Licenses = n.on.Licenses[:1] }, "not in the records"},
		"no requests":           {"unconfirmed", func(n *told) { n.on.Requests = nil }, "no unconfirmed"},
		"no unconfirmed":        {"unconfirmed", func(n *told) { n.on.Requests[1].Unconfirmed = false }, "no unconfirmed"},
		"reminder of no day":    {"expiring", func(n *told) { n.on.Today = license.Date{} }, "no day"},
		"nobody unsubscribed":   {"stopped", func(n *told) { n.Contacts = nil }, "nobody unsubscribed"},
		"stop of no day":        {"stopped", func(n *told) { n.on.Today = license.Date{} }, "no day"},
		"nothing is stopped":    {"stopped", func(n *told) { clear(n.on.Expiring) }, "somebody is reminded"},
		"key of no day":         {"key", func(n *told) { n.on.Today = license.Date{} }, "no day"},
		"no contract goes on":   {"next key", func(n *told) { n.on.ContractLast = license.Date{} }, "ends with it"},
		"license has expired":   {"expiring", func(n *told) { n.on.Today = n.Due[0].Expiration.AddDays(1) }, "no license needs"},
		"no usable license":     {"key", func(n *told) { n.on.Today = n.on.Licenses[0].Expiration.AddDays(1) }, "no key is worth"},
		"no key on record":      {"key", func(n *told) { n.on.Licenses[0].KeyText = "" }, "has no key"},
		"key of two lines":      {"key", func(n *told) { n.on.Licenses[0].KeyText = "one\ntwo" }, "altered the key"},
		"key with a long space": {"key", func(n *told) { n.on.Licenses[0].KeyText = "one  two" }, "altered the key"},
		"key too long":          {"key", func(n *told) { n.on.Licenses[0].KeyText = long }, "altered the key"},
		"to nobody yet":         {"revoked", func(n *told) { n.To = license.Contact{} }, "to nobody"},
		"moved nowhere":         {"moved", func(n *told) { n.Moves = nil }, "no server ID changed"},
		"a missing customer":    {"added", func(n *told) { n.on.Organization = "" }, "not in the records"},
		"nobody was removed":    {"left", func(n *told) { n.Contacts = nil }, "no contact in the notice"},
		"nothing was revoked":   {"revoked", func(n *told) { n.on.Licenses = nil }, "not in the records"},
	} {
		n := notices()[tt.notice]
		tt.change(&n)
		m, err := letters.Write(n.Notice, n.on, nil, Call{})
		if err == nil || m.ID != "" {
			t.Errorf("%s: got the letter %q, want an error", name, m.Subject)
			continue
		}
		if !strings.HasPrefix(err.Error(), "letter: "+string(n.Kind)+": ") || !strings.Contains(err.Error(), tt.want) ||
			strings.Contains(err.Error(), "@") {
			t.Errorf("%s: got %q, want the kind, %q and no address", name, err, tt.want)
		}
	}
}
