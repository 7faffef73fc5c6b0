package site

import (
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"marketplace/shared/mail/letter"
	"marketplace/shared/table/tabletest"
	"marketplace/shared/web/webtest"
)

// What strangers try on the public site, with what its emails and pages show.

// TestHundredRequestsSendOneVictimFourEmails types the victim's address in many spellings, by form and API.
func TestHundredRequestsSendOneVictimFourEmails(t *testing.T) {
	env := newTestEnv(t)
	spellings := []string{"victim@customer.example", "Victim@Customer.EXAMPLE", "victim+1@customer.example",
		"<victim@customer.example>", "victim+call-us@CUSTOMER.example"}
	for i := range 100 {
		address, lines := spellings[i%len(spellings)], fmt.Sprint(1000+i)
		if i%2 == 0 {
			env.fileUnconfirmed("email", address, "ncloc", lines, "name", "Your account is suspended. Call us")
		} else {
			env.api(validJSON("email", address, "ncloc", lines)).WantStatus(201)
		}
	}
	toVictim, toSales := 0, 0
	for _, id := range env.pendingMails() {
		m, err := env.store.Outbox().Read(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if m.Kind.ToSales() {
			toSales++
			continue
		}
		toVictim++
		if m.To.Name != "" {
			t.Errorf("email %s greets %q, whom a stranger named", id, m.To.Name)
		}
	}
	if toVictim != 4 || toSales != 1 {
		t.Errorf("got %d emails to the victim and %d to sales, want 4 and one alarm", toVictim, toSales)
	}
}

// stuffed are fields of the form with a call-back number in each that takes one.
func stuffed() []string {
	return []string{
		"name", "Call Eight Zero Zero", "company", "Call 800 555 0123 Ltd", "phone", "+1 800 555 0123",
		"message", "Your account is suspended. Call 800 555 0123", "replaces", "CALL-800-555-0123", "kind", "replacement",
		"environment", "production", "oldServer", "lost", "serverId", "NOW-CALL8005550123-X", "ncloc", "8005550123",
		"wantedLoc", "8005550124", "productVersion", "800.555.123", "contacts", "call8005550123@example.org",
		"email", "victim@customer.example",
	}
}

var callBack = regexp.MustCompile(`(?i)\bcall\b|call8|800.?555|0123|0124|8'005|suspended`)

func TestEmailsToUnconfirmedAddressesNameNothingTyped(t *testing.T) {
	env := newTestEnv(t)
	for i := range 4 { // the last email lists all
		env.fileUnconfirmed(append(stuffed(), "idempotencyKey", fmt.Sprint(i))...)
	}
	for _, id := range env.pendingMails() {
		m := env.letter(id)
		for part, said := range map[string]string{
			"subject": m.Subject, "text": m.TextBody(), "HTML": m.HTMLBody(), "recipient": m.To.Name,
			"reply": fmt.Sprint(m.ReplyTo), "attachments": fmt.Sprint(m.Attachments),
		} {
			if typed := callBack.FindString(said); typed != "" {
				t.Errorf("the %s of %s says %q, which a stranger typed", part, m.Kind, typed)
			}
		}
	}
}

// masked are what differs between any two requests.
var masked = regexp.MustCompile(`[0-9a-f]{64}|R-[0-9A-Z]{6}|[0-9a-z]{26}|[A-Z2-7]{26}|AWHW8w9JtzBzSrmf9GQ[XY]`)

// TestKnownAndUnknownServersAreAnsweredAlike files a request for a server of a customer and one for another server:
// what is read, written and answered differs in nothing but what was typed and drawn.
func TestKnownAndUnknownServersAreAnsweredAlike(t *testing.T) {
	const known, unknown = "AWHW8w9JtzBzSrmf9GQX", "AWHW8w9JtzBzSrmf9GQY"
	measure := func(server, replaces, by string) (spent tabletest.Spent, told []string) {
		meter := &tabletest.Meter{Table: &tabletest.Memory{}}
		env := newTestEnvOver(t, meter)
		env.addLicense(terms())
		meter.Reset()
		var page string
		tell := func(a *webtest.Answer) {
			told = append(told, fmt.Sprint(a.StatusCode, a.Header), masked.ReplaceAllString(a.Body, "…"))
		}
		if by == "form" {
			a := env.send("/request/developer", withValues(validForm(), "serverId", server, "replaces", replaces,
				"kind", "replacement", "environment", "production", "oldServer", "lost")).WantStatus(303)
			page = a.Header.Get("Location")
			a.Header.Set("Location", masked.ReplaceAllString(page, "…"))
			tell(a)
		} else {
			a := env.api(validJSON("serverId", server, "replaces", replaces, "kind", "replacement",
				"environment", "production", "oldServer", "lost")).WantStatus(201)
			page = strings.TrimPrefix(jsonObject(a)["statusUrl"].(string), siteURL)
			a.Header.Set("Location", masked.ReplaceAllString(a.Header.Get("Location"), "…"))
			tell(a)
		}
		r := env.request(requestIDOf(page))
		tell(env.get(page))
		tell(env.get(apiPath + "/" + r.ID))
		m := env.letter(r.ID + "--received")
		text := strings.ReplaceAll(m.Subject+m.TextBody()+m.HTMLBody(), r.Server.Ends(), "…")
		told = append(told, masked.ReplaceAllString(text, "…"))
		tell(env.get(confirmPath(r)))
		confirmed := env.send(confirmPath(r), yes(r)).WantStatus(303)
		confirmed.Header.Set("Location", masked.ReplaceAllString(confirmed.Header.Get("Location"), "…"))
		tell(confirmed)
		tell(env.get(page))
		spent = meter.Spent()
		partitions := map[string]tabletest.Use{}
		for pk, use := range spent.Partitions {
			pk = masked.ReplaceAllString(pk, "…")
			sum := partitions[pk]
			partitions[pk] = tabletest.Use{Gets: sum.Gets + use.Gets, Queries: sum.Queries + use.Queries,
				RowsRead: sum.RowsRead + use.RowsRead, ReadUnits: sum.ReadUnits + use.ReadUnits,
				RowsWritten: sum.RowsWritten + use.RowsWritten, WriteUnits: sum.WriteUnits + use.WriteUnits}
		}
		spent.Partitions = partitions
		return spent, told
	}
	const noLicense = "01c7wnn8g0zzzzzzzzzzzzzzzz"
	for _, by := range []string{"form", "API"} {
		for name, ids := range map[string][2]string{ // the ID of a server, and of what it replaces
			"known": {known, unknown}, "known replaced": {unknown, known}, "license": {unknown, terms().ID},
		} {
			replaced := unknown
			if name == "license" {
				replaced = noLicense
			}
			want, wantTold := measure(unknown, replaced, by)
			got, told := measure(ids[0], ids[1], by)
			if got.Use != want.Use || !maps.Equal(got.Partitions, want.Partitions) {
				t.Errorf("%s, %s: got use\n%+v, want\n%+v", by, name, got, want)
			}
			for i := range wantTold {
				if !reflect.DeepEqual(told[i], wantTold[i]) {
					t.Errorf("%s, %s: got answer %d\n%s\nwant\n%s", by, name, i, told[i], wantTold[i])
				}
			}
		}
	}
}

// TestIdempotencyKeyShowsNobodyElsesLink sends a request again with the key and some of its details.
func TestIdempotencyKeyShowsNobodyElsesLink(t *testing.T) {
	env := newTestEnv(t)
	first := jsonObject(env.api(validJSON("idempotencyKey", "1")).WantStatus(201))
	r := env.request(first["id"].(string))
	for name, body := range map[string]string{
		"same":          validJSON("idempotencyKey", "1"),
		"other address": validJSON("idempotencyKey", "1", "email", "eve@customer.example"),
		"other message": validJSON("idempotencyKey", "1", "message", "Hurry"),
	} {
		a := env.api(body)
		if strings.Contains(a.Body, r.Token) || strings.Contains(a.Body, r.Secret) ||
			name != "same" && strings.Contains(a.Body, r.ID) {
			t.Errorf("%s: got %s, which tells of the first request", name, a.Body)
		}
	}
	// The form's own keys are random; one that is guessed serves nothing with other details.
	page := env.send("/request/developer", withValues(validForm(), "idempotencyKey", "1")).WantStatus(303)
	other := env.send("/request/developer",
		withValues(validForm(), "idempotencyKey", "1", "email", "eve@customer.example"))
	if to := other.Header.Get("Location"); to == page.Header.Get("Location") || strings.Contains(to, r.Token) {
		t.Errorf("got the link %s of another request", to)
	}
}

// TestStatusLinkConfirmsNothing has who typed a contact's address try everything that the status page has.
func TestStatusLinkConfirmsNothing(t *testing.T) {
	env := newTestEnv(t)
	r, page := env.fileUnconfirmed()
	for _, form := range []url.Values{yes(r), no(r),
		{"answer": {"yes"}, "request": {r.ID}, "confirm": {r.Secret}, "token": {r.Token}}} {
		env.send(page, form).WantStatus(403)
		env.send(page+"&confirm="+r.Token, form).WantStatus(403)
		env.send("/requests/"+r.ID, form).WantStatus(404)
	}
	shown := []string{page, apiPath + "/" + r.ID + "?token=" + r.Token}
	for _, at := range shown {
		if a := env.get(at); strings.Contains(a.Body, r.Secret) || strings.Contains(fmt.Sprint(a.Header), r.Secret) {
			t.Errorf("%s: got the secret", at)
		}
	}
	if got := env.request(r.ID); !got.Unconfirmed || !got.State.Open() {
		t.Errorf("got %+v, want it unconfirmed", got)
	}
}

// TestLaterRequestOfAConfirmedAddressWaits: who types the address of somebody who confirmed today gets nothing.
func TestLaterRequestOfAConfirmedAddressWaits(t *testing.T) {
	env := newTestEnv(t)
	r, _ := env.fileForm()
	later, page := env.fileUnconfirmed("kind", "upgrade")
	if !later.Unconfirmed || !slices.Contains(env.pendingMails(), later.ID+"--received") {
		t.Errorf("got %+v, want it to wait for its own confirmation", later)
	}
	if got := env.get(letter.StatusPath(r)).Body; strings.Contains(got, string(later.Reference)) {
		t.Error("the page of a request tells of another one")
	}
	if main := webtest.Text(env.get(page).Page().Find("main")); strings.Contains(main, string(r.Reference)) {
		t.Error("the page of a request tells of an earlier one")
	}
}
