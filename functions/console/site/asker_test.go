package site

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/chromedp/chromedp"

	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/web/webtest"
)

// ofAna is a request by a contact of Acme AG, who is on record in acme.
var ofAna = request.Details{
	Kind: request.Upgrade, Edition: license.Enterprise, Server: "AWacmeprod0000000001", Loc: 120_000,
	ProductVersion: "6.7.1", Name: "Ana Acme", Email: "ana@acme.example", Company: "Acme AG", Country: "Switzerland",
}

// confirmed is what a request's page says of one that storetest files.
const confirmed = "; confirmed this request on 05 Mar 2018, 09:30 UTC."

// whoAsks returns what a request's page says about who asks, by row.
func whoAsks(page *goquery.Document) map[string]string {
	rows := map[string]string{}
	section := page.Find("section[aria-labelledby=asker-title]")
	section.Find("form, button, details:not(:has(.line))").Remove() // what can be done about it
	section.Find(".facts > div").Each(func(_ int, s *goquery.Selection) {
		rows[webtest.Text(s.Find("dt"))] = webtest.Text(s.Find("dd"))
	})
	return rows
}

func TestRequestPageSaysWhoAsks(t *testing.T) {
	const (
		production = "Production AWacmeprod0000000001: Enterprise Edition through 31 Mar 2018 Active, renewed"
		acme       = "Acme AG C-ACME00: "
		holding    = "Acme Holding C-0THER0: "
	)
	for name, test := range map[string]struct {
		asks request.Details
		want map[string]string
	}{
		"a contact": {ofAna, map[string]string{
			"Requester": "Ana Acme, ana@acme.example Contact Contact since 05 Mar 2018" + confirmed,
			"Customer":  acme + "has this server; a contact sent it; same mail domain; similar name",
			"Instance":  production + " Found by its server ID.",
		}},
		"a contact of a partner": {anaAsks(func(d *request.Details) {
			d.Email, d.Name, d.Company = "OPS@reseller.example", "Otto", "Reseller Ltd"
		}), map[string]string{
			"Requester": "Otto, OPS@reseller.example Contact Contact since 05 Mar 2018, works for Reseller Ltd" +
				confirmed,
			"Customer": acme + "has this server; a contact sent it",
			"Instance": production + " Found by its server ID.",
		}},
		"somebody else, for a server that is known": {anaAsks(func(d *request.Details) {
			d.Kind, d.Environment, d.OldServer = request.Replacement, request.ProductionUse, request.OldLost
			d.Server, d.Replaces = "1234ABCD-AWacmeprod0000000001", "“AWacmeprod0000000001”."
			d.Email, d.Company = "eve@mail.example", "Eve Inc"
		}), map[string]string{
			"Requester": "Ana Acme, eve@mail.example Stranger Unknown address; claims to be Eve Inc" + confirmed +
				" Replacing a license, or sending the key here, needs a contact's yes or a colleague's vouch. Link " +
				"the request to its customer first.",
			"Customer": acme + "has this server",
			"Instance": production + " Found by its data. The request says that the old server is gone, so this is the " +
				"same instance.",
		}},
		"nobody who is known": {anaAsks(func(d *request.Details) {
			d.Server, d.Email, d.Company = "AWunknown00000000001", "nora@new.example", "Brand New Foods"
		}), map[string]string{
			"Requester": "Ana Acme, nora@new.example Confirmed this request on 05 Mar 2018, 09:30 UTC. Not a contact of " +
				"any customer.",
			"Customer": "No customer on record matches this request",
		}},
		"a contact, for the server of another customer": {anaAsks(func(d *request.Details) {
			d.Server = "AWother0000000000001"
		}), map[string]string{
			"Requester": "Ana Acme, ana@acme.example Confirmed this request on 05 Mar 2018, 09:30 UTC. Contact of Acme AG " +
				"since 05 Mar 2018",
			"Customer": holding + "has this server " + acme + "a contact sent it; same mail domain; similar name " +
				"You choose one when you issue the license.",
		}},
		"by the name alone": {anaAsks(func(d *request.Details) {
			d.Server, d.Email = "AWunknown00000000001", "ana@mail.example"
		}), map[string]string{
			"Requester": "Ana Acme, ana@mail.example Confirmed this request on 05 Mar 2018, 09:30 UTC. Not a contact of " +
				"any customer.",
			"Customer": acme + "similar name",
		}},
		"staging with the ID of production": {anaAsks(func(d *request.Details) { d.Kind = request.Staging }),
			map[string]string{
				"Requester": "Ana Acme, ana@acme.example Contact Contact since 05 Mar 2018" + confirmed,
				"Customer":  acme + "has this server; a contact sent it; same mail domain; similar name",
				"Instance": "Staging AWacmestag0000000002: Enterprise Edition through 31 Mar 2018 Expires in 26 days The " +
					"server ID is that of production. It may be a staging instance shown here, or a new one.",
			}},
		"staging of a server that is named": {anaAsks(func(d *request.Details) {
			d.Kind, d.Server, d.Replaces = request.Staging, "AWunknown00000000001", "AWacmeprod0000000001"
		}), map[string]string{
			"Requester": "Ana Acme, ana@acme.example Contact Contact since 05 Mar 2018" + confirmed,
			"Customer":  acme + "has this server; a contact sent it; same mail domain; similar name",
			"Instance":  production + " A new staging instance, of this one.",
		}},
		"a new server": {anaAsks(func(d *request.Details) { d.Server = "AWunknown00000000001" }), map[string]string{
			"Requester": "Ana Acme, ana@acme.example Contact Contact since 05 Mar 2018" + confirmed,
			"Customer":  acme + "a contact sent it; same mail domain; similar name",
			"Instance":  "No instance on record matches this server.",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTestEnv(t)
			w.acme()
			page := w.get(sam, "/console/requests/"+w.file(test.asks).ID).WantStatus(200).Page()
			webtest.CheckPage(t, page)
			got := whoAsks(page)
			for row, want := range test.want {
				if got[row] != want {
					t.Errorf("%s: got %q, want %q", row, got[row], want)
				}
			}
			if len(got) != len(test.want) {
				t.Errorf("got rows %q, want %q", got, test.want)
			}
		})
	}
}

// anaAsks returns the request of ofAna with a change.
func anaAsks(change func(*request.Details)) request.Details {
	d := ofAna
	change(&d)
	return d
}

func TestCustomerOfTheIssuedLicenseComesFirst(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	asked := w.file(anaAsks(func(d *request.Details) { d.Server = "AWother0000000000001" }))
	l := sampleLicense("01acmel9", day("2019-03-31"))
	l.Organization, l.Server, l.Request = "New Name Ltd", "AWissued000000000001", asked.ID
	w.issue(l, func(i *store.Issue) { i.Request, i.RequestVersion = asked.ID, asked.Version })
	of, err := w.store.Customer(t.Context(), w.license(l.ID).License.Customer)
	w.must(err)
	got := whoAsks(w.get(vera, "/console/requests/"+asked.ID).WantStatus(200).Page())
	if want := "New Name Ltd " + string(of.Reference) + " Linked Acme Holding C-0THER0: has this server " +
		"Acme AG C-ACME00: a contact sent it; same mail domain; similar name"; got["Customer"] != want {
		t.Errorf("got customers %q, want %q", got["Customer"], want)
	}
	want := "Production AWissued000000000001: Developer Edition through 31 Mar 2019 Active"
	if got["Instance"] != want {
		t.Errorf("got instance %q, want %q", got["Instance"], want)
	}
}

func TestRequestOfMergedCustomersNamesTheSurvivor(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	asked := w.file(anaAsks(func(d *request.Details) { d.Server = "AWother0000000000001" }))
	w.send(ada, otherRef+"/merge", w.filledFormOf(ada, otherRef+"/merge?into=C-ACME00", "main form[method=post]")).
		WantStatus(http.StatusSeeOther)
	got := whoAsks(w.get(sam, "/console/requests/"+asked.ID).WantStatus(200).Page())
	for row, want := range map[string]string{
		"Requester": "Ana Acme, ana@acme.example Contact Contact since 05 Mar 2018" + confirmed,
		"Customer":  "Acme AG C-ACME00: has this server; a contact sent it; same mail domain; similar name",
		"Instance": "Production AWother0000000000001: Enterprise Edition through 31 Mar 2019 Active " +
			"Found by its server ID.",
	} {
		if got[row] != want {
			t.Errorf("%s: got %q, want %q", row, got[row], want)
		}
	}
}

func TestFurtherCustomersAreFolded(t *testing.T) {
	w := newTestEnv(t)
	for i := range maxCandidates + 2 {
		l := sampleLicense(fmt.Sprintf("l%d", i), day("2018-08-31"))
		l.Organization = "Customer & Sons" + strings.Repeat(" GmbH", i)
		l.Server = license.Server(fmt.Sprintf("AWHW8w9JtzBzSrmf9GQ%d", i))
		w.record(l, license.Contact{Email: fmt.Sprintf("it@c%d.example", i)})
	}
	row := w.get(sam, "/console/requests/"+w.file(sampleDetails).ID).WantStatus(200).Page().
		Find("section[aria-labelledby=asker-title] .facts > div").Eq(1)
	shown, folded := row.Find("dd > .line a").Length(), row.Find("dd > details .line a").Length()
	if shown != maxCandidates || folded != 2 || webtest.Text(row.Find("summary").First()) != "2 more" {
		t.Errorf("got %d customers and %d folded, want %d and 2: %s", shown, folded, maxCandidates, webtest.Text(row))
	}
}

// TestPhoneShowsWhatToDoFirst holds the order of a request's page: who asks, what to do, the facts. On a phone what to
// do is on the first screen.
func TestPhoneShowsWhatToDoFirst(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	lost := anaAsks(func(d *request.Details) {
		d.Kind, d.Environment, d.OldServer, d.Replaces = request.Replacement, request.ProductionUse, request.OldSame,
			string(d.Server)
	})
	b := w.inBrowser(t, sam)
	for name, test := range map[string]struct {
		asks   request.Details
		button string // the first thing to do
	}{
		"known":   {ofAna, `.tasks form[action$="/take"] button`},
		"unknown": {sampleDetails, `.tasks form[action$="/take"] button`},
		"lost":    {lost, `.tasks form[action$="/resend"] button`},
		"asked":   {ofBob, `.tasks form[action$="/take"] button`}, // and the contacts who were asked
	} {
		r := w.file(test.asks)
		if name == "asked" {
			ana := license.Contact{Email: ofAna.Email}
			_, err := w.store.ReceiveRequest(t.Context(), r.ID, "01acmec", "01acmei1", ana)
			w.must(err)
		}
		path := "/console/requests/" + r.ID
		for _, window := range []struct{ width, height int64 }{{390, 844}, {1280, 800}} {
			b.act("opening "+name, chromedp.EmulateViewport(window.width, window.height), chromedp.Navigate(b.url+path),
				chromedp.WaitVisible(test.button))
			bottom := func(selector string) float64 {
				return measure[float64](b, "document.querySelector(`"+selector+"`).getBoundingClientRect().bottom")
			}
			if at := bottom(test.button); at > float64(window.height) {
				t.Errorf("%s: what to do ends at pixel %v of a window of %d by %d", name, at, window.width,
					window.height)
			}
			facts := bottom("#asked-title")
			if facts < bottom(".asker") || window.width < 400 && facts < bottom(".tasks") {
				t.Errorf("%s: the facts begin at pixel %v, above who asks or what to do", name, facts)
			}
		}
		b.look("request-" + name)
	}
}
