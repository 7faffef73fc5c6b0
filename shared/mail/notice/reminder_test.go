package notice_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/mail/notice"
	"marketplace/shared/reminder"
)

// withAfter also reminds seven days after the last day.
var withAfter = reminder.With(reminder.DaysAfter(7))

// about are the records of sold, two months before, with a change. Nobody else is reminded of it.
func about(f func(*notice.Expiring, *notice.Records)) notice.Records {
	of := notice.Expiring{License: sold(), Contacts: []license.Contact{it, {Email: "Ada@ACME.example"}}}
	r := notice.Records{Today: day("2019-02-15"), Policy: withAfter}
	f(&of, &r)
	r.Expiring = map[string]notice.Expiring{of.License.ID: of}
	return r
}

// after is the stage after the last day.
var after = notice.Due{License: sold().ID, Expiration: sold().Expiration, Stage: reminder.DaysAfter(7)}

// unneeded are the reasons why a contact need not be reminded, with the records that make it so.
var unneeded = map[string]struct {
	due  notice.Due
	with func(*notice.Expiring, *notice.Records)
}{
	"the license was revoked": {due, func(of *notice.Expiring, _ *notice.Records) {
		of.License.Revoked = time.Unix(1, 0)
	}},
	"the license has been renewed": {due, func(of *notice.Expiring, _ *notice.Records) {
		of.License.Successor = "l2"
	}},
	"the instance was retired": {due, func(of *notice.Expiring, _ *notice.Records) {
		of.License.Retired = true
	}},
	"the reminders are paused": {due, func(of *notice.Expiring, _ *notice.Records) {
		of.License.Mute = license.Mute{By: "sam", Until: day("2019-02-15")}
	}},
	"the last day of the license has changed": {due, func(of *notice.Expiring, _ *notice.Records) {
		of.License.Expiration = day("2019-04-15")
	}},
	"the license has expired": {due, func(_ *notice.Expiring, r *notice.Records) { r.Today = day("2019-04-01") }},
	"a later reminder is due": {due, func(_ *notice.Expiring, r *notice.Records) { r.Today = day("2019-02-28") }},
	"the instance has another license": {after, func(of *notice.Expiring, r *notice.Records) {
		r.Today, of.Covered = day("2019-04-07"), true
	}},
	"the recipient is no longer a contact": {due, func(of *notice.Expiring, _ *notice.Records) {
		of.Contacts = []license.Contact{it}
	}},
	"the recipient unsubscribed from the reminders": {due, func(of *notice.Expiring, _ *notice.Records) {
		of.Unsubscribed = []string{it.Email, "ADA@acme.example"}
	}},
}

func TestReminderSaysWhyItIsUnneeded(t *testing.T) {
	for want, tt := range unneeded {
		r := about(tt.with)
		if got := notice.Unneeded(r.Expiring[sold().ID], tt.due, adaLovelace, r); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if got := remindOf(adaLovelace, tt.due).Pointless(r); got != want {
			t.Errorf("email: got %q, want %q", got, want)
		}
	}
	for name, tt := range map[string]struct {
		due  notice.Due
		with func(*notice.Expiring, *notice.Records)
	}{
		"two months before": {due, func(*notice.Expiring, *notice.Records) {}},
		"late":              {due, func(_ *notice.Expiring, r *notice.Records) { r.Today = day("2019-02-27") }},
		"the mute is over": {due, func(of *notice.Expiring, _ *notice.Records) {
			of.License.Mute = license.Mute{By: "sam", Until: day("2019-02-14")}
		}},
		"another contact unsubscribed": {due, func(of *notice.Expiring, _ *notice.Records) {
			of.Unsubscribed = []string{it.Email}
		}},
		"covered before the last day": {due, func(of *notice.Expiring, _ *notice.Records) { of.Covered = true }},
		"after the last day": {after, func(_ *notice.Expiring, r *notice.Records) {
			r.Today = day("2019-04-07")
		}},
		"late after the last day": {after, func(_ *notice.Expiring, r *notice.Records) {
			r.Today = day("2019-04-14")
		}},
	} {
		r := about(tt.with)
		if got := notice.Unneeded(r.Expiring[sold().ID], tt.due, adaLovelace, r); got != "" {
			t.Errorf("%s: got %q, want that it is needed", name, got)
		}
	}
}

// digestOfAll has a license for each reason that is not the day, and one that is needed.
func digestOfAll() (n notice.Notice, r notice.Records) {
	r = about(func(*notice.Expiring, *notice.Records) {})
	n = remindOf(adaLovelace, due)
	for _, why := range slices.Sorted(maps.Keys(unneeded)) {
		one := about(unneeded[why].with)
		if one.Today != r.Today {
			continue // the reason is the day, which all licenses share
		}
		of, d := one.Expiring[sold().ID], unneeded[why].due
		of.License.ID, d.License = why, why
		n.Due, r.Expiring[why] = append(n.Due, d), of
	}
	return n, r
}

func TestDigestLeavesOutWhatIsUnneeded(t *testing.T) {
	n, r := digestOfAll()
	gone := due
	gone.License = "gone"
	n.Due = append(n.Due, gone)
	omitted := n.Omitted(r)
	for _, d := range n.Due {
		want := d.License
		switch want {
		case sold().ID:
			want = ""
		case "gone":
			want = "the license is no longer on record"
		}
		if omitted[d.License] != want {
			t.Errorf("license %s: got %q, want %q", d.License, omitted[d.License], want)
		}
	}
	if len(omitted) != len(n.Due)-1 || len(omitted) < 7 {
		t.Errorf("got %d of %d left out, want all but one", len(omitted), len(n.Due))
	}
	if why := n.Pointless(r); why != "" {
		t.Errorf("with a license to name: got %q, want that it is sent", why)
	}
	n.Due = n.Due[1:]
	if why := n.Pointless(r); why != "none of the licenses needs a reminder any more" {
		t.Errorf("with none: got %q", why)
	}
	n.Due = nil
	if why := n.Pointless(r); why != "it names no license" {
		t.Errorf("empty: got %q", why)
	}
}

func TestSalesAreToldOfUnsubscribingWhereNobodyElseIsReminded(t *testing.T) {
	two := due
	two.License = "l2"
	stopped := notice.RemindersStopped(remindOf(adaLovelace, due), []notice.Due{due, two}, "n1")
	records := func(f func(one, other *notice.Expiring)) notice.Records {
		r := about(func(*notice.Expiring, *notice.Records) {})
		one, other := r.Expiring[sold().ID], r.Expiring[sold().ID]
		one.Reminded, other.Reminded, other.License.ID = &it, &it, "l2"
		one.Unsubscribed = []string{"ADA" + strings.TrimPrefix(adaLovelace.Email, "ada")}
		other.Unsubscribed = one.Unsubscribed
		f(&one, &other)
		r.Expiring = map[string]notice.Expiring{sold().ID: one, "l2": other}
		return r
	}
	for name, tt := range map[string]struct {
		f         func(one, other *notice.Expiring)
		pointless bool
	}{
		"both have another reader": {func(_, _ *notice.Expiring) {}, true},
		"one has none":             {func(_, other *notice.Expiring) { other.Reminded = nil }, false},
		"neither has": {func(one, other *notice.Expiring) {
			one.Reminded, other.Reminded = nil, nil
		}, false},
		"neither has, and the contact came back": {func(one, other *notice.Expiring) {
			one.Reminded, other.Reminded, one.Unsubscribed, other.Unsubscribed = nil, nil, nil, []string{it.Email}
		}, true},
		"one has none, and was renewed": {func(_, other *notice.Expiring) {
			other.Reminded, other.License.Successor = nil, "l3"
		}, true},
	} {
		if why := stopped.Pointless(records(tt.f)); (why != "") != tt.pointless {
			t.Errorf("%s: got %q, want pointless: %v", name, why, tt.pointless)
		}
	}
	late := records(func(one, _ *notice.Expiring) { one.Reminded = nil })
	late.Today = day("2019-04-15")
	if stopped.Pointless(late) == "" {
		t.Error("after the last reminder: got that sales are told")
	}
	if stopped.To != (license.Contact{}) || !stopped.Kind.ToSales() || stopped.Contacts[0] != adaLovelace {
		t.Errorf("got %+v, want an email to sales about Ada", stopped)
	}
}

// The longest IDs fit SES's tags, and the parameter of private links, which takes 200 characters.
func TestIDsOfRemindersAreTags(t *testing.T) {
	tag := regexp.MustCompile(`^[A-Za-z0-9_-]{1,200}$`)
	to := license.Contact{Email: strings.Repeat("a", 64) + "@" + strings.Repeat("b", 180) + ".example"}
	nonce := strings.Repeat("n", 26)
	n := notice.LicensesExpiring(sold().Customer, day("2019-01-31"), to, 99)
	d := notice.Due{License: sold().ID, Expiration: sold().Expiration, Stage: reminder.DaysAfter(7)}
	guard := d.Guard(to)
	for _, id := range []string{
		n.ID, n.Repeated().ID, n.Again(nonce).ID, n.Again(nonce).Repeated().ID, n.Again(nonce).Again(nonce).ID,
		notice.RemindersStopped(n, nil, nonce).ID, notice.RemindersStopped(n, nil, nonce).Again(nonce).ID, guard,
		notice.LicenseNextKey(sold(), reminder.DaysAfter(7)).Again(nonce).ID,
	} {
		if !tag.MatchString(id) {
			t.Errorf("got the ID %s, of %d characters, want a tag of at most 200", id, len(id))
		}
	}
	if notice.AboutID(guard) != sold().ID || notice.AboutID(n.ID) != sold().Customer {
		t.Errorf("got %s about %s, want it about the license", guard, notice.AboutID(guard))
	}
	distinct := map[string]bool{guard: true}
	for _, other := range []notice.Due{
		{License: "l2", Expiration: d.Expiration, Stage: d.Stage},
		{License: d.License, Expiration: d.Expiration.AddDays(1), Stage: d.Stage},
		{License: d.License, Expiration: d.Expiration, Stage: reminder.DaysBefore(7)},
	} {
		distinct[other.Guard(to)] = true
	}
	distinct[d.Guard(it)] = true
	if len(distinct) != 5 {
		t.Errorf("got guards %v, want five", distinct)
	}
	if d.Guard(license.Contact{Name: "Ada", Email: "ADA@acme.example"}) != d.Guard(adaLovelace) {
		t.Error("two spellings of an address have different guards")
	}
}
