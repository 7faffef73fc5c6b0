package site

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"marketplace/shared/license"
	"marketplace/shared/license/licensetest"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/storetest"
	"marketplace/shared/web/webtest"
)

// listed returns the companies or organizations in the tables of a page, in order.
func listed(doc *goquery.Document) (names []string) {
	doc.Find("main tbody th a").Each(func(_ int, s *goquery.Selection) { names = append(names, webtest.Text(s)) })
	return names
}

func (w *testEnv) review(r request.Request, to request.State) request.Request {
	w.t.Helper()
	r, err := w.store.Review(w.t.Context(),
		store.Review{ID: r.ID, Version: r.Version, By: "robin@vendor.example", To: to, Text: "why"})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func TestQueueTabsShowTheirStates(t *testing.T) {
	w := newTestEnv(t)
	for i, state := range []request.State{request.Waiting, request.Issued, request.InReview, request.Received,
		request.Rejected, request.Withdrawn} {
		d := sampleDetails
		d.Company = fmt.Sprintf("%d %s", i, state)
		if r := w.file(d); state != request.Received {
			w.review(r, state)
		}
		w.advance(time.Hour)
	}
	for show, want := range map[string][]string{
		"":        {"2 in review", "3 received"},
		"open":    {"2 in review", "3 received"},
		"waiting": {"0 waiting for customer"},
		"closed":  {"5 withdrawn", "4 rejected", "1 issued"},
		"nothing": {"2 in review", "3 received"},
	} {
		doc := w.get(vera, "/console?show="+show).WantStatus(200).Page()
		if got := listed(doc); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", show, got, want)
		}
		if doc.Find(".tabs [aria-current=page]").Length() != 1 {
			t.Errorf("%s: got no current tab", show)
		}
	}
	if tabs := webtest.Text(w.get(vera, "/console").Page().Find(".tabs")); tabs != "Open 2 Waiting 1 Closed" {
		t.Errorf("tabs %q", tabs)
	}
}

func TestLateRequestsAreFirst(t *testing.T) {
	w := newTestEnv(t)
	for _, company := range []string{"Monday", "Tuesday", "Wednesday"} {
		d := sampleDetails
		d.Company = company
		w.file(d)
		w.advance(24 * time.Hour)
	}
	// Wednesday, two hours after the third: Monday's was due 26 hours ago, Tuesday's two hours ago.
	w.advance(-22 * time.Hour)
	doc := w.get(vera, "/console").WantStatus(200).Page()
	var due []string
	doc.Find("tbody tr").Each(func(_ int, s *goquery.Selection) {
		due = append(due, webtest.Text(s.Find("th"))+": "+webtest.Text(s.Find("td").Eq(3)))
	})
	want := []string{"Monday: Late by 26 h Tue 06 Mar, 09:30 UTC", "Tuesday: Late by 2 h Wed 07 Mar, 09:30 UTC",
		"Wednesday: Due in 22 h Thu 08 Mar, 09:30 UTC"}
	if !slices.Equal(due, want) {
		t.Errorf("got %q, want %q", due, want)
	}
	if got := webtest.Text(doc.Find("h1")); got != "Requests 2 late" {
		t.Errorf("title %q", got)
	}
}

func TestQueueFiltersByKindAndEdition(t *testing.T) {
	w := newTestEnv(t)
	for _, kind := range request.Kinds {
		for _, edition := range []license.Edition{license.Developer, license.Enterprise} {
			d := sampleDetails
			d.Kind, d.Edition, d.Company = kind, edition, string(kind)+" "+string(edition)
			w.file(d)
		}
	}
	for query, want := range map[string]int{
		"kind=renewal": 2, "edition=enterprise": 6, "kind=renewal&edition=enterprise": 1, "edition=datacenter": 0,
		"kind=&edition=":            12,
		"kind=nonsense&edition=%00": 12, "after=nonsense": 12,
		"after=2018-03-05T00:00:00Z%23" + strings.Repeat("x", 2000): 12,
	} {
		doc := w.get(vera, "/console?"+query).WantStatus(200).Page()
		if got := listed(doc); len(got) != want {
			t.Errorf("%s: %d requests, want %d", query, len(got), want)
		}
		if tab := webtest.Text(doc.Find(".tabs [aria-current] .count")); tab != fmt.Sprint(want) {
			t.Errorf("%s: the tab counts %s, want %d", query, tab, want)
		}
	}
	if chosen := webtest.Text(w.get(vera,
		"/console?kind=renewal").Page().Find("option[selected]")); chosen != "Renewal" {
		t.Errorf("the filter shows %q", chosen)
	}
}

func TestQueueFiltersByState(t *testing.T) {
	w := newTestEnv(t)
	for _, state := range request.States {
		for _, kind := range []request.Kind{request.New, request.Renewal} {
			d := sampleDetails
			d.Kind, d.Company = kind, string(kind)+" "+string(state)
			if r := w.file(d); state != request.Received {
				w.review(r, state)
			}
			w.advance(time.Hour)
		}
	}
	for query, want := range map[string]struct {
		companies []string
		tab       string
	}{
		"state=received":                      {[]string{"new received", "renewal received"}, "Open"},
		"state=in-review":                     {[]string{"new in review", "renewal in review"}, "Open"},
		"state=in+review&kind=new":            {[]string{"new in review"}, "Open"},
		"state=waiting-for-customer&kind=new": {[]string{"new waiting for customer"}, "Waiting"},
		"state=issued":                        {[]string{"renewal issued", "new issued"}, "Closed"},
		"state=rejected&kind=renewal":         {[]string{"renewal rejected"}, "Closed"},
		"state=withdrawn&edition=enterprise":  {nil, "Closed"},
		"show=closed&state=received":          {[]string{"new received", "renewal received"}, "Open"},
		"show=closed&state=issued":            {[]string{"renewal issued", "new issued"}, "Closed"},
		"show=waiting&state=nonsense&kind=": {[]string{"new waiting for customer",
			"renewal waiting for customer"}, "Waiting"},
		"state=%00&state=received": {[]string{"new received", "renewal received", "new in review",
			"renewal in review"}, "Open"},
		"state=received&kind=new&edition=bogus&": {[]string{"new received"}, "Open"},
	} {
		doc := w.get(vera, "/console?"+query).WantStatus(200).Page()
		if got := listed(doc); !slices.Equal(got, want.companies) {
			t.Errorf("%s: got %q, want %q", query, got, want.companies)
		}
		if got := webtest.Text(doc.Find(".tabs [aria-current=page]")); !strings.HasPrefix(got, want.tab) {
			t.Errorf("%s: the tab is %q, want %q", query, got, want.tab)
		}
	}
	// What is chosen stays chosen, and the address of the next page says it as the form does.
	doc := w.get(vera, "/console?state=issued").Page()
	if chosen := webtest.Text(doc.Find("#state option[selected]")); chosen != "Issued" ||
		webtest.Text(doc.Find("#state option").First()) != "All closed" {
		t.Errorf("the filter shows %q", chosen)
	}
	f := filter{tab: closedTab, state: request.Issued, kind: request.New}
	if got := f.address(""); got != "/console?kind=new&state=issued" {
		t.Errorf("the address is %s", got)
	}
}

func TestMineShowsRequestsInMyReview(t *testing.T) {
	w := newTestEnv(t)
	taken := func(who, company string, kind request.Kind) string {
		d := sampleDetails
		d.Company, d.Kind = company, kind
		page := "/console/requests/" + w.file(d).ID
		if who != "" {
			w.send(who, page+"/take", w.snapshot(page)).WantStatus(http.StatusSeeOther)
		}
		w.advance(time.Hour)
		return page
	}
	taken("", "Nobody's", request.New)
	page := taken(sam, "Sam's", request.New)
	taken(sam, "Sam's renewal", request.Renewal)
	taken(lucia, "Lucía's", request.New)
	for _, tt := range []struct {
		who, query string
		want       []string
	}{
		{sam, "show=mine", []string{"Sam's", "Sam's renewal"}},
		{sam, "show=mine&kind=renewal&edition=developer", []string{"Sam's renewal"}},
		{sam, "show=mine&state=in-review&kind=new", []string{"Sam's"}},
		{sam, "show=mine&state=received", []string{"Nobody's"}},
		{lucia, "show=mine", []string{"Lucía's"}},
		{ada, "show=mine", nil},
		{vera, "show=mine", []string{"Nobody's", "Sam's", "Sam's renewal", "Lucía's"}},
		// who changes nothing has no such list
	} {
		if got := listed(w.get(tt.who, "/console?"+tt.query).WantStatus(200).Page()); !slices.Equal(got, tt.want) {
			t.Errorf("%s, %s: got %q, want %q", tt.who, tt.query, got, tt.want)
		}
	}
	w.send(lucia, page+"/take-over", w.snapshot(page)).WantStatus(http.StatusSeeOther)
	if got := listed(w.get(lucia, "/console?show=mine").Page()); !slices.Equal(got, []string{"Sam's", "Lucía's"}) {
		t.Errorf("after taking over, Lucía has %q", got)
	}
	tabs := webtest.Text(w.get(sam, "/console?kind=renewal").Page().Find(".tabs"))
	if tabs != "Open 1 Mine 1 Waiting 0 Closed" {
		t.Errorf("tabs %q", tabs)
	}
}

func TestQueueOfFiveHundredRequestsIsPaged(t *testing.T) {
	w := newTestEnv(t)
	for i := range 500 {
		d := sampleDetails
		d.Company = fmt.Sprintf("Company %03d", i)
		r := w.file(d)
		if i%3 == 0 {
			w.review(r, request.InReview)
		}
		if i%2 == 0 {
			w.advance(time.Second)
		}
	}
	seen := map[string]bool{}
	pages := 0
	for next := "/console?kind=new"; next != ""; pages++ {
		doc := w.get(vera, next).WantStatus(200).Page()
		for _, name := range listed(doc) {
			if seen[name] {
				t.Errorf("%s is listed twice", name)
			}
			seen[name] = true
		}
		if n := webtest.Text(doc.Find(".tabs [aria-current] .count")); n != "200+" {
			t.Errorf("the tab counts %s", n)
		}
		if begin := doc.Find("nav.pages a").First().AttrOr("href", ""); pages > 0 && begin != "/console?kind=new" {
			t.Errorf("page %d leads back to %q", pages, begin)
		}
		next = doc.Find("a[rel=next]").AttrOr("href", "")
	}
	if len(seen) != 500 || pages != 10 {
		t.Errorf("%d requests on %d pages", len(seen), pages)
	}
}

func TestQueueOfOneStateIsPaged(t *testing.T) {
	w := newTestEnv(t)
	for i := range 120 {
		d := sampleDetails
		d.Company = fmt.Sprintf("Company %03d", i)
		if r := w.file(d); i%2 == 0 {
			w.review(r, request.InReview)
		}
		w.advance(time.Second)
	}
	var sizes []int
	for next := "/console?edition=developer&state=in-review"; next != ""; {
		doc := w.get(vera, next).WantStatus(200).Page()
		sizes = append(sizes, len(listed(doc)))
		next = doc.Find("a[rel=next]").AttrOr("href", "")
		if next != "" && !strings.HasPrefix(next, "/console?after=") || strings.Contains(next, "show=") {
			t.Errorf("the next page is %s", next)
		}
	}
	if !slices.Equal(sizes, []int{50, 10}) {
		t.Errorf("pages of %v", sizes)
	}
}

func TestEmptyQueueExplainsItself(t *testing.T) {
	w := newTestEnv(t)
	for _, path := range []string{"/console", "/console?show=mine", "/console?state=issued", "/console?show=waiting",
		"/console?show=closed", "/console?kind=new", "/console?after=2018-03-05T00:00:00Z%23x"} {
		if empty := webtest.Text(w.get(sam, path).WantStatus(200).Page().Find(".empty")); empty == "" {
			t.Errorf("%s: no text for the empty queue", path)
		}
	}
}

func TestSearchRecognizesWhatTheQueryIs(t *testing.T) {
	w := newTestEnv(t)
	w.record(sampleLicense("01hx0000000000000000000001", license.Date{Year: 2018, Month: 8, Day: 31}))
	w.record(sampleLicense("import-A.1", license.Date{Year: 2018, Month: 9, Day: 30}))
	r := w.file(sampleDetails)
	d := sampleDetails
	d.Company, d.Email, d.Server = "Internationalization Inc", "someone@else.example", "1234ABCD-AWHW8w9JtzBzSrmf9GQX"
	other := w.file(d)
	d.Server = "BF41A1F2-AWHW8w9JtzBzSrmf9GQZ"
	w.file(d)

	for q, to := range map[string]string{
		r.ID: "/console/requests/" + r.ID, strings.ToUpper(r.ID): "/console/requests/" + r.ID,
		"  " + other.ID + " ":        "/console/requests/" + other.ID,
		"01HX0000000000000000000001": "/console/licenses/01hx0000000000000000000001",
		"import-A.1":                 "/console/licenses/import-A.1",
		string(r.Reference):          "/console/requests/" + r.ID,
		"Re: License request received: Developer Edition (" + string(other.Reference) + ")": "/console/requests/" +
			other.ID,
		strings.ToLower(strings.ReplaceAll(string(r.Reference), "-", "")) + ".": "/console/requests/" + r.ID,
		r.ID + ".":                  "/console/requests/" + r.ID,
		"“" + r.ID + "”":            "/console/requests/" + r.ID,
		"#" + strings.ToUpper(r.ID): "/console/requests/" + r.ID,

		"license 01hx0000000000000000000001.":                           "/console/licenses/01hx0000000000000000000001",
		"\u202a01hx0000000000000000000001\u202c\n":                      "/console/licenses/01hx0000000000000000000001",
		"https://x.example/console/licenses/01hx0000000000000000000001": "/console/licenses/01hx0000000000000000000001",
		"Hello, 01hx0000000000000000000001 of ana@customer.example":     "/console/licenses/01hx0000000000000000000001",
	} {
		w.as(vera).Do("GET", searchFor(q), "").WantRedirect(to)
	}
	for _, tt := range []struct {
		q                              string
		requests, customers, instances int
	}{
		{"customer", 1, 1, 0}, {"sons cust", 1, 1, 0}, {"CUSTOMER & SONS", 1, 1, 0}, {"internationalization", 2, 0, 0},
		{"Jane", 0, 1, 0}, {"doe jane", 0, 1, 0}, {"Jane Sons", 0, 1, 0}, {"customer.example", 0, 0, 0},
		{"Inc", 0, 0, 0} /* a legal form */, {"nobody", 0, 0, 0},
		{"jane.doe@customer.example", 1, 1, 0}, {"JANE.DOE@customer.example", 1, 1, 0},
		{"Jane Doe <jane.doe@customer.example>", 1, 1, 0}, {"john@customer.example", 0, 1, 0},
		{"nobody@customer.example", 0, 0, 0},
		{"AWHW8w9JtzBzSrmf9GQX", 2, 0, 1}, {"1234ABCD-AWHW8w9JtzBzSrmf9GQX", 2, 0, 1},
		{"00000000-AWHW8w9JtzBzSrmf9GQX", 2, 0, 1}, {"AWHW8w9JtzBzSrmf9GQZ", 1, 0, 0},
		{"AWHW8w9J", 0, 0, 1}, {"AWHW", 0, 0, 1}, {"AWH", 0, 0, 0}, {"awhw8w9j", 0, 0, 0},
		{"Server ID: AWHW8w9JtzBzSrmf9GQX.", 2, 0, 1}, {"AWHW8w9J\u200btzBzSrmf\u00ad9GQX", 2, 0, 1},
		{"<jane.doe@customer.example>;", 1, 1, 0}, {"mailto:jane.doe@customer.example", 1, 1, 0},
		{"20180305093000", 0, 0, 0}, {"x", 0, 0, 0}, {"'; DROP TABLE--", 0, 0, 0}, {"a#b", 0, 0, 0},
		{"<script>alert(1)</script>", 0, 0, 0},
	} {
		doc := w.get(vera, searchFor(tt.q)).WantStatus(200).Page()
		count := func(section, page string) int {
			links := "-title] tbody th a[href^='/console/" + page + "/']"
			return doc.Find("section[aria-labelledby=" + section + links).Length()
		}
		requests, customers, instances := count("requests", "requests"), count("customers", "customers"),
			count("instances", "customers")
		if requests != tt.requests || customers != tt.customers || instances != tt.instances {
			t.Errorf("%q: %d requests, %d customers and %d instances, want %d, %d and %d", tt.q, requests, customers,
				instances, tt.requests, tt.customers, tt.instances)
		}
		if doc.Find("main input[name=q]").AttrOr("value", "") != tt.q || doc.Find("main script").Length() > 0 {
			t.Errorf("%q: the search field has another value", tt.q)
		}
		if webtest.Text(doc.Find("main [role=status]")) == "" {
			t.Errorf("%q: no result message", tt.q)
		}
	}
	for _, q := range []string{strings.Repeat("x", 300), "a\x00b", "a\nb"} {
		w.get(vera, searchFor(q)).WantStatus(http.StatusUnprocessableEntity)
	}
	w.get(vera, "/console/search").WantStatus(200)
}

func TestSearchReadsAPastedKey(t *testing.T) {
	w := newTestEnv(t)
	l := sampleLicense("01hx0000000000000000000001", license.Date{Year: 2018, Month: 8, Day: 31})
	w.record(l)
	for id, found := range map[string]bool{l.ID: true, "01hx0000000000000000000009": false} {
		key, err := licensetest.Issuer(t).Issue(license.Key{
			ID: id, Type: l.Type, Organization: l.Organization, Server: l.Server, Edition: l.Edition,
			Plugins: l.Plugins,
			MaxLoc:  l.MaxLoc, Expiration: l.Expiration, Issued: l.Issued,
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, pasted := range []string{key, "Hello,\r\n> " + key[:76] + "\r\n> " + key[76:] + "\r\nKind regards", key[:300]} {
			if found {
				w.as(vera).Do("GET", searchFor(pasted), "").WantRedirect("/console/licenses/" + id)
				continue
			}
			doc := w.get(vera, searchFor(pasted)).WantStatus(200).Page()
			if n := doc.Find("main a[href='/console/licenses/" + l.ID + "']").Length(); n != 1 {
				t.Errorf("%.20q…: got %d links to the license of the key's server, want 1", pasted, n)
			}
		}
	}
}

func TestAddressesLinkToOneRecipient(t *testing.T) {
	w := newTestEnv(t)
	l := sampleLicense("l1", license.Date{Year: 2018, Month: 8, Day: 31})
	hostile := "ada%40acme.example?bcc=eve%40evil.example&x=@evil.example"
	w.record(l, license.Contact{Email: hostile}, license.Contact{Email: "ana@bücher.example"},
		license.Contact{Email: "old address"})
	d := sampleDetails
	d.Email = hostile
	r := w.file(d)
	for _, page := range []string{"/console/licenses/l1", "/console/requests/" + r.ID} {
		doc := w.get(sam, page).WantStatus(200).Page()
		links := doc.Find("a[href^='mailto:']")
		if links.Length() == 0 || !strings.Contains(doc.Find("main").Text(), hostile) {
			t.Errorf("%s: got %d links to addresses", page, links.Length())
		}
		links.Each(func(_ int, a *goquery.Selection) {
			switch href := a.AttrOr("href", ""); href {
			case "mailto:ada%2540acme.example%3Fbcc%3Deve%2540evil.example%26x%3D@evil.example",
				"mailto:ana@xn--bcher-kva.example":
			default:
				t.Errorf("%s: got a link to %s", page, href)
			}
		})
	}
}

func TestUnconfirmedRequestsAreShownOnTheirOwnTab(t *testing.T) {
	w := newTestEnv(t)
	r, _, err := storetest.FileUnconfirmed(t.Context(), w.store, sampleDetails, "")
	if err != nil {
		t.Fatal(err)
	}
	link := `main a[href^="/console/requests/` + r.ID + `"]`
	if w.get(sam, "/console").Page().Find(link).Length() != 0 {
		t.Error("the queue shows an unconfirmed request, want it filtered out")
	}
	doc := w.get(sam, "/console?show=unconfirmed").Page()
	if doc.Find(link).Length() == 0 || !strings.Contains(webtest.Text(doc.Find("main")), "Unconfirmed") {
		t.Error("the tab of unconfirmed requests does not show it")
	}
	if w.get(sam, "/console/requests/"+r.ID).Page().Find("#unconfirmed").Length() != 1 {
		t.Error("the request's page does not say that it is unconfirmed")
	}
}

// TestLateNumberIsTheLengthOfItsList also holds the number of each filter to a count over all requests.
func TestLateNumberIsTheLengthOfItsList(t *testing.T) {
	w := newTestEnv(t)
	random := rand.New(rand.NewPCG(9, 3))
	var all []request.Request
	for range 100 {
		d := sampleDetails
		d.Kind = request.Kinds[random.IntN(len(request.Kinds))]
		d.Edition = []license.Edition{license.Developer, license.Enterprise}[random.IntN(2)]
		r := w.file(d)
		if state := request.States[random.IntN(len(request.States))]; state != request.Received {
			r = w.review(r, state)
		}
		all = append(all, r)
		w.advance(time.Duration(random.IntN(90)) * time.Minute)
	}
	for range 4 {
		if _, _, err := storetest.FileUnconfirmed(t.Context(), w.store, sampleDetails, ""); err != nil {
			t.Fatal(err)
		}
	}
	w.advance(2 * time.Hour)
	overview := w.get(vera, "/console/overview").WantStatus(200).Page()
	figure := overview.Find(".figures div").First()
	link := figure.Find("a").AttrOr("href", "")
	doc := w.get(vera, link).WantStatus(200).Page()
	if n := fmt.Sprint(len(listed(doc))); n == "0" || webtest.Text(figure.Find("dd")) != n {
		t.Errorf("the overview says %q, its link %s lists %s", webtest.Text(figure), link, n)
	}
	if more := overview.Find("section[aria-labelledby=late-title] .more a").AttrOr("href", ""); more != link {
		t.Errorf("got link %q to all late requests, want %q", more, link)
	}
	for _, kind := range append([]request.Kind{""}, request.Kinds...) {
		for _, edition := range []license.Edition{"", license.Developer, license.Enterprise} {
			for _, state := range []request.State{"", request.Received, request.InReview} {
				want := 0
				for _, r := range all {
					if r.Late(*w.now) && (kind == "" || r.Kind == kind) && (edition == "" || r.Edition == edition) &&
						(state == "" || r.State == state) {
						want++
					}
				}
				f := filter{tab: openTab, kind: kind, edition: edition, state: state, late: true}
				doc := w.get(vera, f.address("")).WantStatus(200).Page()
				if got := len(listed(doc)); got != want {
					t.Errorf("%s: got %d requests, want %d", f.address(""), got, want)
				}
				head := doc.Find("h1 a")
				if number := webtest.Text(head); state == "" && want > 0 && number != fmt.Sprintf("%d late", want) {
					t.Errorf("%s: the heading says %q, want %d", f.address(""), number, want)
				}
				if doc.Find("#late[checked]").Length() != 1 {
					t.Errorf("%s: the box is not ticked", f.address(""))
				}
			}
		}
	}
}

func TestTabOffersOnlyItsOwnStates(t *testing.T) {
	w := newTestEnv(t)
	for show, want := range map[string][]string{
		"open": {"All open", "Received", "In review"}, "mine": nil, "waiting": nil, "unconfirmed": nil,
		"closed": {"All closed", "Issued", "Answered", "Rejected", "Withdrawn"},
	} {
		doc := w.get(sam, "/console?show="+show).WantStatus(200).Page()
		var got []string
		doc.Find("#state option").Each(func(_ int, s *goquery.Selection) { got = append(got, webtest.Text(s)) })
		if !slices.Equal(got, want) {
			t.Errorf("%s: got the states %q, want %q", show, got, want)
		}
		if late := doc.Find("#late").Length() == 1; late != (show == "open" || show == "mine") {
			t.Errorf("%s: filters what is late: %v", show, late)
		}
		// An address that asks a tab for what it cannot have gets the tab.
		tab := webtest.Text(w.get(sam, "/console?late=yes&show="+show).Page().Find(".tabs [aria-current]"))
		if !strings.HasPrefix(strings.ToLower(tab), show) {
			t.Errorf("late of %s: got the tab %q", show, tab)
		}
	}
	for query, want := range map[string]string{
		"late=yes": "No requests are late. Show all", "late=yes&kind=new": "No request matches this filter. Show all",
	} {
		if got := webtest.Text(w.get(sam, "/console?"+query).Page().Find(".empty")); got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
}

func TestUnconfirmedListSaysWhy(t *testing.T) {
	w := newTestEnv(t)
	typed := w.fileUnconfirmed(sampleDetails)
	_, _, err := storetest.FileUnconfirmed(t.Context(), w.store, ofAna, "")
	w.must(err)
	list := webtest.Text(w.get(vera, "/console?show=unconfirmed").WantStatus(200).Page().Find("main table"))
	wantTexts(t, list, "Not confirmed yet", "Suspicious form")
	if got := webtest.Text(w.get(vera, "/console").Page().Find("main table")); got != "" {
		t.Errorf("got %q among the open requests, want nothing that is unconfirmed", got)
	}
	page := "/console/requests/" + typed.ID
	w.send(sam, page+"/take", w.snapshot(page)).WantStatus(http.StatusSeeOther)
	doc := w.get(sam, page).Page()
	wantTexts(t, text(doc), "Not confirmed: anybody can type this address.")
	if doc.Find("#unconfirmed").Length() > 0 {
		t.Error("a request in review is still marked")
	}
}
