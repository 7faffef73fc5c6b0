package site

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/retention"
	"marketplace/shared/store"
	"marketplace/shared/store/audit"
	"marketplace/shared/table/tabletest"
	"marketplace/shared/web/webtest"
)

// audited returns what a page of the audit shows: for each change who made it and its lines.
func audited(doc *goquery.Document) (list []string) {
	doc.Find("table.audit tbody tr").Each(func(_ int, row *goquery.Selection) {
		who := webtest.Text(row.Find("th"))
		row.Find(".event").Each(func(_ int, line *goquery.Selection) {
			list = append(list, who+": "+webtest.Text(line))
		})
	})
	return list
}

// auditOf returns the page of the audit with a filter, and what it shows.
func (w *testEnv) auditOf(query string) (*goquery.Document, []string) {
	w.t.Helper()
	a := w.get(ada, "/console/audit"+query)
	if a.StatusCode != 200 {
		w.t.Log(w.log.String())
	}
	doc := a.WantStatus(200).Page()
	if t, ok := w.t.(*testing.T); ok {
		webtest.CheckPage(t, doc)
	}
	return doc, audited(doc)
}

func TestAuditTellsWhoDidWhatToWhat(t *testing.T) {
	w := newTestEnv(t)
	doc, _ := w.auditOf("")
	wantTexts(t, text(doc), "No changes", "appears here")
	w.acme()
	w.must(w.store.RecordSignIn(t.Context(), emails[sam], sam, "sales"))
	r := w.file(sampleDetails)
	page := "/console/requests/" + r.ID
	w.send(lucia, page+"/take", w.filled(page)).WantStatus(http.StatusSeeOther)
	w.send(sam, acmeRef+"/note", added(w.shown(acmeRef), "note", "Call Ana about 2,000 francs.")).
		WantStatus(http.StatusSeeOther)
	w.send(sam, acmeRef+"/instances/01acmei1/retire", w.shown(acmeRef)).WantStatus(http.StatusSeeOther)
	w.record(sampleLicense("l1", day("2018-08-31")))
	w.get(sam, "/console/licenses/l1/key").WantStatus(200)
	w.get(sam, "/console/licenses/l1/key/text").WantStatus(200)
	doc, list := w.auditOf("")
	if got := list[:2]; !slices.Equal(got, []string{
		"Sam Okoye: License key shown: Production license for AWHW…9GQX, Customer & Sons",
		"Sam Okoye: License key downloaded: Production license for AWHW…9GQX, Customer & Sons",
	}) {
		t.Errorf("got %q", got)
	}
	for _, want := range []string{
		"Sam Okoye: Instance retired: an instance of Acme AG", "Sam Okoye: Note added: Acme AG",
		lucia + ": Taken into review: New request for AWHW…9GQX, Customer & Sons",
		"Sam Okoye: Signed in with the role sales",
		"A customer: Request received: New request for AWHW…9GQX, Customer & Sons",
	} {
		if !slices.Contains(list, want) {
			t.Errorf("got no %q in\n%s", want, strings.Join(list, "\n"))
		}
	}
	if whole := text(doc); strings.Contains(whole, "francs") || !strings.Contains(whole, "05 Mar 2018, 09:30 UTC") {
		t.Error("got a page with a note, or without the time and its zone")
	}
	for _, to := range []string{"/console/licenses/l1", page, acmeRef, acmeRef + "/instances/01acmei1"} {
		if doc.Find("table.audit a[href='"+to+"']").Length() == 0 {
			t.Errorf("got no link to %s", to)
		}
	}
}

func TestAuditIsFiltered(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	w.send(sam, acmeRef+"/note", added(w.shown(acmeRef), "note", "one")).WantStatus(http.StatusSeeOther)
	w.advance(48 * 3600e9)
	w.send(lucia, otherRef+"/note", added(w.shown(otherRef), "note", "two")).WantStatus(http.StatusSeeOther)
	w.file(sampleDetails)
	w.send(ada, otherRef+"/merge", w.filledFormOf(ada, otherRef+"/merge?into=C-ACME00", "form.sheet")).
		WantStatus(http.StatusSeeOther)
	ofSam, ofLucia := sam+": Note added: Acme AG", lucia+": Note added: Acme Holding"
	merge := ada + ": Customer merged: Acme AG"
	filed := "A customer: Request received: New request for AWHW…9GQX, Customer & Sons"
	for query, want := range map[string]struct{ has, hasNot []string }{
		"?from=2018-03-07":                       {[]string{ofLucia, filed}, []string{ofSam}},
		"?to=2018-03-06":                         {[]string{ofSam}, []string{ofLucia, filed}},
		"?from=2018-03-07&to=2018-03-07":         {[]string{ofLucia, filed}, []string{ofSam}},
		"?who=" + url.QueryEscape(emails[sam]):   {[]string{ofSam}, []string{ofLucia, filed}},
		"?who=customer":                          {[]string{filed}, []string{ofSam, ofLucia}},
		"?who=colleague":                         {[]string{ofSam, ofLucia}, []string{filed}},
		"?who=system":                            {nil, []string{ofSam, ofLucia, filed}},
		"?customer=c-acme00":                     {[]string{ofSam, ofLucia, merge}, []string{filed}},
		"?customer=Acme+Holding":                 {[]string{ofSam, ofLucia, merge}, []string{filed}}, // it was merged
		"?action=note+added":                     {[]string{ofSam, ofLucia}, []string{filed, merge}},
		"?action=note+added&customer=C-ACME00":   {[]string{ofSam, ofLucia}, []string{filed, merge}},
		"?action=note+added&to=2018-03-06&who=x": {nil, []string{ofSam, ofLucia, filed}},
	} {
		doc, list := w.auditOf(query)
		for _, line := range want.has {
			if !slices.Contains(list, line) {
				t.Errorf("%s: got no %q in\n%s", query, line, strings.Join(list, "\n"))
			}
		}
		for _, line := range want.hasNot {
			if slices.Contains(list, line) {
				t.Errorf("%s: got %q", query, line)
			}
		}
		if len(want.has) == 0 {
			wantTexts(t, text(doc), "No changes match this filter back to", "Search earlier", "show all")
		}
	}
	for query, says := range map[string]string{
		"?from=tomorrow": "Enter a day", "?to=2018-02-30": "Enter a day", "?customer=nobody": "No customer has this",
		"?from=2018-03-07&to=2018-03-06": "the same day as “From” or later",
		"?customer=C-0THER9":             "There is no customer",
	} {
		doc := w.get(ada, "/console/audit"+query).WantStatus(http.StatusUnprocessableEntity).Page()
		webtest.CheckPage(t, doc)
		wantTexts(t, text(doc), says)
		w.get(ada, "/console/audit.csv"+query).WantStatus(http.StatusUnprocessableEntity)
	}
	w.get(ada, "/console/audit?after=nowhere").WantStatus(http.StatusBadRequest)
	w.put(store.Issue{Customer: &customer.Customer{ID: "01x", Reference: "C-ACMEX1", Name: "Acme X"}})
	w.put(store.Issue{Customer: &customer.Customer{ID: "01y", Reference: "C-ACMEY1", Name: "Acme Y"}})
	doc := w.get(ada, "/console/audit?customer=Acme&who=customer").WantStatus(http.StatusUnprocessableEntity).Page()
	if to := doc.Find("main li a[href*='customer=C-ACMEX1'][href*='who=customer']"); to.Length() != 1 {
		t.Errorf("got no link to one of the customers of that name: %s", text(doc))
	}
}

func TestAuditPagesHaveEachChangeOnce(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	for n := range 130 {
		if n%9 == 0 {
			w.advance(11 * 3600e9)
		}
		w.must(w.store.CustomerNote(t.Context(), "01acmec", emails[sam], strconv.Itoa(n)))
	}
	seen := map[string]int{}
	pages := 0
	for to := "?action=note+added"; to != ""; pages++ {
		doc, list := w.auditOf(to)
		for range list {
			w.must(w.store.CustomerNote(t.Context(), "01acmec", emails[sam], "meanwhile"))
		}
		doc.Find("table.audit time").Each(func(n int, at *goquery.Selection) { seen[at.AttrOr("datetime", "")]++ })
		_, to, _ = strings.Cut(doc.Find("a[rel=next]").AttrOr("href", ""), "/console/audit")
		if len(list) == 0 {
			break
		}
	}
	total := 0
	for _, n := range seen {
		total += n
	}
	if total != 130 || pages != 3 {
		t.Errorf("got %d changes on %d pages, want 130 on 3", total, pages)
	}
}

func TestAuditIsExportedAsItIsFiltered(t *testing.T) {
	w := newTestEnv(t)
	w.acme()
	w.must(w.store.CustomerNote(t.Context(), "01acmec", emails[sam], "secret text"))
	w.file(sampleDetails)
	answer := w.get(ada, "/console/audit.csv?customer=C-ACME00&action=note+added").WantStatus(200)
	rows := exported(answer)
	if len(rows) != 2 || !slices.Equal(rows[0], auditColumns) || rows[1][at(rows[0], "by")] != emails[sam] ||
		rows[1][at(rows[0], "customer")] != "C-ACME00" || strings.Contains(answer.Body, "secret text") {
		t.Errorf("got %q", rows)
	}
	if got := answer.Header.Get("Content-Disposition"); !strings.Contains(got, "audit-2017-03-05-2018-03-05.csv") {
		t.Errorf("got %s", got)
	}
	rows = exported(w.get(ada, "/console/audit.csv?from=2018-03-05").WantStatus(200))
	export := slices.IndexFunc(rows, func(row []string) bool { return row[at(rows[0], "action")] == "exported" })
	if export != 1 || rows[1][at(rows[0], "by")] != emails[ada] || len(rows) < 10 {
		t.Fatalf("got %q, want this export first", rows)
	}
	if got := rows[2][at(rows[0], "detail")]; got !=
		"2017-03-05 to 2018-03-05, customer C-ACME00, action note added" {
		t.Errorf("got detail %q of the export before", got)
	}
	w.as(ada).Do("HEAD", "/console/audit.csv", "").WantStatus(200)
	if again := exported(w.get(ada, "/console/audit.csv?who=colleague&action=exported")); len(again) != 4 {
		t.Errorf("got %q, want the three exports", again)
	}
}

func TestNothingLeavesTheConsoleThatTheAuditDoesNotTell(t *testing.T) {
	for _, limit := range []int{0, 1 << 20} {
		table := &tabletest.Faulty{Table: &tabletest.Memory{}}
		w := newTestEnvOver(t, table, func(o *Options) { o.ExportLimit = limit })
		r := w.file(sampleDetails)
		l := sampleLicense("l1", day("2018-08-31"))
		w.record(l)
		w.must(w.store.SendKeyAgain(t.Context(), "l1", emails[sam], sampleContacts[0], "n"))
		mails, err := w.store.MailsAbout(t.Context(), "l1", 1)
		w.must(err)
		w.sendMail(mails[0].ID)
		letter := "/console/licenses/l1/mails/" + mails[0].ID + "/1"
		reads := map[string]string{ // what each has in the audit
			"/console/licenses/l1/key":      "license key downloaded LICENSE#l1",
			"/console/licenses/l1/key/text": "license key shown LICENSE#l1",
			letter:                          "email with a license key opened LICENSE#l1",
			letter + "/html":                "email with a license key opened LICENSE#l1",
			"/console/export/requests.csv?from=2018-03&to=2018-04": "exported EXPORT#requests 2018-03 to 2018-04",
			"/console/export/licenses.csv?from=2018-03&to=2018-09": "exported EXPORT#licenses 2018-03 to 2018-09",
			"/console/reminders.csv?day=2018-06-02":                "exported EXPORT#reminders 2018-06-02",
			"/console/audit.csv?from=2018-03-05&who=customer":      "exported EXPORT#audit 2018-03-05 to 2018-03-05, by customer",
		}
		for path, want := range reads {
			before := w.auditRows()
			w.as(ada).Do("HEAD", path, "").WantStatus(200)
			w.get(ada, path).WantStatus(200)
			after := w.auditRows()
			told := after[:len(after)-len(before)]
			heads := 1
			if strings.HasPrefix(path, letter) {
				heads = 2 // a page says nothing else to HEAD
			}
			if len(told) != heads || told[0] != emails[ada]+" "+want {
				t.Errorf("%s: got %q in the audit, want %q", path, told, want)
			}
		}
		table.Fault = func(c tabletest.Call) tabletest.Fault {
			for _, write := range c.Writes {
				if write.Row.Type == "audit" {
					return tabletest.Down
				}
			}
			return tabletest.Fault{}
		}
		for path := range reads {
			a := w.get(ada, path)
			if a.StatusCode != http.StatusServiceUnavailable || strings.Contains(a.Body, l.KeyText) ||
				strings.Contains(a.Body, r.ID) || a.Header.Get("Content-Disposition") != "" {
				t.Errorf("%s: got %d and %d bytes, want a page that says to try again", path, a.StatusCode, len(a.Body))
			}
		}
	}
}

// auditRows returns what colleagues did, the newest first.
func (w *testEnv) auditRows() (list []string) {
	w.t.Helper()
	log := audit.New(w.store.Store, retention.Policy{})
	w.must(log.Each(w.t.Context(), audit.Query{By: audit.Colleagues}, func(e audit.Entry) error {
		for _, d := range e.Done {
			list = append(list, strings.TrimSpace(e.By+" "+string(d.Action)+" "+d.On+" "+d.Detail))
		}
		return nil
	}))
	return list
}

func TestRefusedExportLeavesNoRow(t *testing.T) {
	w := newTestEnv(t, func(o *Options) { o.ExportLimit = 100 })
	w.file(sampleDetails)
	before := len(w.auditRows())
	w.get(sam, "/console/export/requests.csv?from=2018-03&to=2018-04").WantStatus(http.StatusRequestEntityTooLarge)
	w.get(ada, "/console/audit.csv?from=2018-03-01").WantStatus(http.StatusRequestEntityTooLarge)
	if after := len(w.auditRows()); after != before {
		t.Errorf("got %d rows of what was not exported", after-before)
	}
}

// No page that viewers may open has a key, nor the address of a custom package.
func TestViewersSeeNoKeyAnywhere(t *testing.T) {
	w := newTestEnv(t)
	for _, page := range w.everyPage() {
		if body := w.get(vera, page).Body; strings.Contains(body, "Rm9ybWF0PTEK") || strings.Contains(body, "/key") {
			t.Errorf("%s: a viewer sees a key, or a link to one", page)
		}
	}
	r := w.license("l1")
	w.must(w.store.AddPackage(t.Context(), store.LicenseChange{ID: "l1", Version: r.Version, By: emails[sam]},
		"developer-edition-6.7.1-secret.zip"))
	for who, want := range map[string]bool{vera: false, sam: true} {
		doc := w.get(who, "/console/licenses/l1").WantStatus(200).Page()
		wantTexts(t, text(doc), "Developer Edition, version 6.7.1")
		if got := strings.Contains(webtest.Text(doc.Find("main")), "secret") ||
			doc.Find("main a[href*=secret]").Length() > 0; got != want {
			t.Errorf("%s: got the address of the package %v, want %v", who, got, want)
		}
	}
}

// Nothing changes the audit: its addresses only read.
func TestAuditIsReadOnly(t *testing.T) {
	for _, route := range (&site{}).routes() {
		if strings.Contains(route.pattern, "/audit") && !strings.HasPrefix(route.pattern, "GET ") {
			t.Errorf("got %s, want no address that changes the audit", route.pattern)
		}
	}
	w := newTestEnv(t)
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH"} {
		a := w.as(ada).Do(method, "/console/audit", "", "Sec-Fetch-Site", "same-origin")
		if a.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("%s: got %d", method, a.StatusCode)
		}
	}
}

// failingAudit is an audit that cannot be read.
type failingAudit struct{ Audit }

func (failingAudit) Page(context.Context, audit.Query, int, string) (audit.Page, error) {
	return audit.Page{}, fault.Wrap(fault.Unavailable, errors.New("down"), "")
}

func TestUnreadableAuditIsNotAnEmptyOne(t *testing.T) {
	w := newTestEnv(t, func(o *Options) { o.Audit = failingAudit{o.Audit} })
	w.get(ada, "/console/audit").WantStatus(http.StatusServiceUnavailable)
}

// The filter offers every action that any package of the store declares.
func TestAuditCanBeFilteredByEveryAction(t *testing.T) {
	files, err := filepath.Glob("../../../shared/store/*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob("../../../shared/store/*.go")
	if err != nil {
		t.Fatal(err)
	}
	declared := 0
	for _, name := range append(files, more...) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		for action, value := range actionsIn(t, name) {
			declared++
			if !slices.Contains(auditedActions, store.Action(value)) {
				t.Errorf("auditedActions lacks %s of %s", action, filepath.Base(name))
			}
		}
	}
	if declared != len(auditedActions) {
		t.Errorf("got %d actions in auditedActions, want the %d of the store", len(auditedActions), declared)
	}
	var labels []string
	for _, a := range auditedActions {
		if label := actionLabel(a); slices.Contains(labels, label) {
			t.Errorf("two actions are called %q", label)
		} else {
			labels = append(labels, label)
		}
		if strings.Contains(" "+strings.ToLower(actionLabel(a)), " mail") { // the store says mail, pages say email
			t.Errorf("the action %q has no words of the console", a)
		}
	}
}

// actionsIn returns the constants of the type Action that a file declares.
func actionsIn(t *testing.T, name string) map[string]string {
	t.Helper()
	source, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		of := ""
		switch typed := spec.Type.(type) {
		case *ast.Ident:
			of = typed.Name
		case *ast.SelectorExpr:
			of = typed.Sel.Name
		}
		if text, ok := spec.Values[0].(*ast.BasicLit); ok && of == "Action" {
			found[spec.Names[0].Name], _ = strconv.Unquote(text.Value)
		}
		return true
	})
	return found
}
