package site

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table/tabletest"
)

// maxRounds is how many rounds of reads one after another a page may make.
const maxRounds = 3

// streamed are the addresses that walk through months, one after another, while they answer.
var streamed = map[string]bool{
	"GET /console/export/requests.csv": true, "GET /console/export/licenses.csv": true,
	"GET /console/reminders.csv": true, "GET /console/audit.csv": true,
}

func TestPagesReadInThreeRounds(t *testing.T) {
	if _, err := signedIn(); err != nil { // its server cannot be in the bubble
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		rounds := &tabletest.Rounds{Table: &tabletest.Memory{}, Apart: "SESSION#"}
		w := newTestEnvOver(t, rounds, func(o *Options) { o.Packager = &workshop{} })
		pages := w.fillForPages()
		for _, route := range (&site{}).routes() {
			if !strings.HasPrefix(route.pattern, "GET ") || streamed[route.pattern] {
				continue
			}
			if len(pages[route.pattern]) == 0 {
				t.Errorf("%s: nobody counts its reads", route.pattern)
			}
			for _, page := range pages[route.pattern] {
				rounds.Reset()
				if answer := w.get(ada, page); answer.StatusCode >= 400 {
					t.Errorf("%s: got status %d", page, answer.StatusCode)
				}
				var last tabletest.Read
				for _, r := range rounds.Reads() {
					if r.Round > last.Round {
						last = r
					}
				}
				if last.Round > maxRounds {
					t.Errorf("%s: got %d rounds of reads, the last of them %s, want at most %d: %v", page, last.Round,
						last.What, maxRounds, rounds.Reads())
				}
			}
		}
	})
}

// fillForPages puts three years of requests and licenses on record, with many emails, and returns the addresses of each
// route.
func (w *testEnv) fillForPages() map[string][]string {
	w.t.Helper()
	ctx := w.t.Context()
	many := sampleDetails
	many.Company = "International Systems" // two words, of each of which a search reads only the first rows
	for range 501 {
		_, _, err := storetest.FileRequest(ctx, w.store.Silent(), many, "")
		w.must(err)
	}
	f := &filler{random: rand.New(rand.NewPCG(1, 2))}
	f.store = store.New(w.table, store.Options{Now: func() time.Time { return f.now }})
	for i := range 75 { // requests and licenses of three years
		w.must(f.customer(ctx, i, 2, &records{}))
	}
	var sent string
	for i := range 2 * maxUnreached { // with bounces, and nobody left to write to
		l := sampleLicense(fmt.Sprintf("01hx00000000000000000000%02d", i), day("2018-08-31"))
		l.Server = license.Server(fmt.Sprintf("AWHW8w9JtzBzSrmf9G%02d", i))
		l.Organization = fmt.Sprintf("Company %d", i)
		to := license.Contact{Email: fmt.Sprintf("a%d@customer.example", i)}
		w.record(l, to)
		for n := range 3 {
			w.must(w.store.SendKeyAgain(ctx, l.ID, emails[sam], to, fmt.Sprint(n)))
		}
		mails, err := w.store.MailsAbout(ctx, l.ID, 10)
		w.must(err)
		w.sendMail(mails[0].ID)
		w.bounce(mails[0].ID, outbox.Bounced, "unknown user")
		w.failMail(mails[1].ID, "refused")
		sent = mails[0].ID
	}
	asked, _, err := w.store.FileRequest(ctx, store.Filing{Details: many})
	w.must(err)
	w.sendMail(asked.ID + "--received") // which has a point until the request is confirmed
	renewal := many
	renewal.Kind, renewal.Replaces = request.Renewal, "AWHW8w9JtzBzSrmf9G01"
	renewed := w.file(renewal)
	change := store.RequestChange{ID: renewed.ID, By: emails[lucia]}
	w.must(w.store.LinkRequest(ctx, change, storetest.CustomerID("Company 1"), ""))
	w.must(w.store.AskContacts(ctx, change, license.Contact{Email: "a1@customer.example"}))
	w.must(w.store.VouchFor(ctx, change, request.Vouch{Licenses: []string{"01hx0000000000000000000001"}}))
	answered := w.file(many)
	issued := sampleLicense("01hx0000000000000000000099", day("2018-08-31"))
	issued.Server, issued.Organization, issued.Request = many.Server, many.Company, answered.ID
	w.issue(issued, func(i *store.Issue) { i.Request, i.RequestVersion = answered.ID, answered.Version })
	const l = "/console/licenses/01hx0000000000000000000001"
	ofLicense := "/console/licenses/" + sent[:26] + "/mails/" + sent + "/1"
	ofRequest := "/console/requests/" + asked.ID + "/mails/" + asked.ID + "--received/1"
	kept, err := w.store.Account(ctx, storetest.CustomerID("Company 1"))
	w.must(err)
	of := kept.Customer
	pages := map[string][]string{
		"GET /console": {"/console", "/console?show=mine&late=yes", "/console?show=unconfirmed",
			"/console?kind=renewal&edition=enterprise", "/console?show=closed&kind=new"},
		"GET /console/search": {searchFor("International Systems"), searchFor("customer sons"),
			searchFor("jane.doe@customer.example"), searchFor("AWHW8w9JtzBzSrmf9G01"), searchFor(asked.ID),
			searchFor("Server ID: AWHW8w9JtzBzSrmf9G01 or AWHW8w9JtzBzSrmf9G02"), searchFor(string(asked.Reference)),
			searchFor("01hx0000000000000000000099 International Systems AWHW8w9JtzBzSrmf9Gxx R-000000")},
		"GET /console/overview": {"/console/overview"},
		"GET /console/requests/{id}": {"/console/requests/" + asked.ID,
			"/console/requests/" + asked.ID + "?done=take", "/console/requests/" + answered.ID,
			"/console/requests/" + strings.ToUpper(renewed.ID)},
		"GET /console/requests/{id}/mails/{mail}/{attempt}":      {ofRequest},
		"GET /console/requests/{id}/mails/{mail}/{attempt}/html": {ofRequest + "/html"},
		"GET /console/licenses":                                  {"/console/licenses?expires=2018-08"},
		"GET /console/reminders": {"/console/reminders", "/console/reminders?day=2018-03-05",
			"/console/reminders?day=2018-06-02", "/console/reminders?license=01hx0000000000000000000001",
			"/console/reminders?customer=" + of.ID},
		"GET /console/licenses/{id}": {l, "/console/licenses/" + issued.ID + "?done=issue",
			"/console/licenses/01HX0000000000000000000001"},
		"GET /console/licenses/{id}/key":                         {l + "/key"},
		"GET /console/licenses/{id}/key/text":                    {l + "/key/text"},
		"GET /console/licenses/{id}/revoke":                      {l + "/revoke"},
		"GET /console/licenses/{id}/mails/{mail}/{attempt}":      {ofLicense},
		"GET /console/licenses/{id}/mails/{mail}/{attempt}/html": {ofLicense + "/html"},
		"GET /console/requests/{id}/issue": {"/console/requests/" + asked.ID + "/issue",
			"/console/requests/" + renewed.ID + "/issue"},
		"GET /console/licenses/new":          {"/console/licenses/new?" + url.Values{"serverId": {"x"}}.Encode()},
		"GET /console/licenses/{id}/renew":   {l + "/renew"},
		"GET /console/licenses/{id}/replace": {l + "/replace"},
		"GET /console/licenses/{id}/upgrade": {l + "/upgrade"},
		"GET /console/customers/{ref}/issue": {customerPage(of) + "/issue",
			customerPage(of) + "/issue?contract=" + string(kept.Contracts[0].Reference)},
		"GET /console/licenses/{id}/packages": {l + "/packages"},
		"GET /console/marketplace":            {"/console/marketplace"},
		"GET /console/retention":              {"/console/retention"},
		"GET /console/letters":                {"/console/letters"},
		"GET /console/letters/{name}":         {"/console/letters/license-key"},
		"GET /console/letters/{name}/html":    {"/console/letters/license-key/html"},
		"GET /console/export":                 {"/console/export"},
		"GET /console/erase":                  {"/console/erase"},
		"GET /console/settings":               {"/console/settings"},
		"GET /console/settings/replies":       {"/console/settings/replies"},
		"GET /console/settings/replies/new":   {"/console/settings/replies/new"},
		"GET /console/settings/replies/{reply}": {
			w.addTemplate("No contract", request.Rejected, "There is no contract."),
		},
		"GET /console/audit": {"/console/audit", "/console/audit?from=2018-01-01&to=2018-03-05",
			"/console/audit?who=" + url.QueryEscape(emails[sam]) + "&action=exported"},
	}
	maps.Copy(pages, w.customerPages())
	return pages
}
