package cost

import (
	"flag"
	"fmt"
	"math"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"marketplace/catalog/builtin"
	"marketplace/catalog/bundle"
	"marketplace/functions/catalog/api"
	"marketplace/infra/stack"
	"marketplace/shared/alarm"
)

var update = flag.Bool("update", false, "rewrite the tables of costs.md")

const page = "../docs/costs.md"

// fetches and licenses are the sizes of the page.
var (
	fetches  = []float64{1e6, 100e6, 10e9}
	licenses = []float64{1000, 100_000}
)

// counted reads what the tree tells.
func counted(t *testing.T) Counted {
	t.Helper()
	c := Counted{Units: map[string]Units{}, Memory: map[string]int{}}
	for _, row := range rowsUnder(t, "../docs/storage.md", "Costs") {
		c.Units[row[0]] = Units{number(t, row[2]), number(t, row[4])}
	}
	for _, row := range rowsUnder(t, "../docs/stack.md", "Functions") {
		c.Memory[strings.Trim(row[0], "`")] = int(number(t, row[1]))
	}
	for _, file := range []string{"../../template.yaml", "../edge.yaml"} {
		tpl, err := stack.Parse(read(t, file))
		if err != nil {
			t.Fatal(err)
		}
		c.Alarms += len(tpl.Resources("AWS::CloudWatch::Alarm"))
		c.Keys += len(tpl.Resources("AWS::KMS::Key"))
		c.Secrets += len(tpl.Resources("AWS::SecretsManager::Secret"))
		c.Limits += len(stack.List(stack.At(tpl.Properties("WebAcl"), "Rules")))
	}
	c.Secrets++
	c.Metrics = len(metricsOf(t))
	catalogDocument(t, &c)
	return c
}

// metricsOf lists the metrics that the functions publish: those of alarms, and what they count.
func metricsOf(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, r := range alarm.Rules {
		if r.Namespace == alarm.Ours {
			names[r.Metric] = true
		}
	}
	files, err := filepath.Glob("../../functions/*/*/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no functions", err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, m := range regexp.MustCompile(`logging\.Count\("(\w+)"`).FindAllStringSubmatch(read(t, file), -1) {
			names[m[1]] = true
		}
	}
	return names
}

// catalogDocument asks the catalog function for /editions.json, as a browser does.
func catalogDocument(t *testing.T, c *Counted) {
	t.Helper()
	b, err := builtin.Bundle()
	if err != nil {
		t.Fatal(err)
	}
	counted := map[string]bool{}
	for _, p := range b.Packages {
		counted[p.Edition+" "+p.Version] = true
	}
	c.Downloads = len(counted)
	r := httptest.NewRequest("GET", bundle.EditionsPath, nil)
	r.Header.Set("Accept-Encoding", "gzip, deflate, br")
	w := httptest.NewRecorder()
	api.New(b, api.Options{PackagesURL: "https://cdn.example.com", Now: time.Now}).ServeHTTP(w, r)
	fresh := regexp.MustCompile(`max-age=(\d+)`).FindStringSubmatch(w.Header().Get("Cache-Control"))
	if w.Header().Get("Content-Encoding") != "br" || fresh == nil {
		t.Fatalf("got %d with %v", w.Code, w.Header())
	}
	c.Document, c.Fresh = w.Body.Len(), int(number(t, fresh[1]))
}

// TestPageStatesTheCosts compares every table of the page with what it comes to now; -update rewrites them.
func TestPageStatesTheCosts(t *testing.T) {
	c := counted(t)
	text := read(t, page)
	for _, table := range tables(c) {
		heading, want := table[0], strings.Join(table[1:], "\n")
		before, section, found := strings.Cut(text, "\n## "+heading+"\n")
		if !found {
			t.Fatalf("%s has no section %q", page, heading)
		}
		start := strings.Index(section, "\n|") + 1
		end := start + strings.Index(section[start:], "\n\n")
		if start == 0 || end < start {
			t.Fatalf("%s: the section %q has no table", page, heading)
		}
		if got := section[start:end]; got != want {
			if !*update {
				t.Errorf("%s, %q: got\n%s\nwant (-update writes it)\n%s", page, heading, got, want)
			}
			section = section[:start] + want + section[end:]
		}
		text = before + "\n## " + heading + "\n" + section
	}
	if *update {
		if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(strings.Join(strings.Fields(text), " "), PricesOf) {
		t.Errorf("%s does not say that its prices are of %s", page, PricesOf)
	}
}

// tables are those of the page: each its heading, then its lines.
func tables(c Counted) [][]string {
	all := []string{"Each month", "| catalog fetches | " + sizes(licenses) + " |", "|---|---|---|"}
	idle := Sum(c.Idle())
	for _, f := range fetches {
		row := "| " + size(f)
		for _, n := range licenses {
			row += " | " + dollars(idle+Sum(c.Catalog(f))+Sum(c.Licenses(n)))
		}
		all = append(all, row+" |")
	}
	by := func(heading, head string, columns ...[]Line) []string {
		rows := []string{heading, "| service | for | " + head + " |",
			"|---|---|" + strings.Repeat("---|", len(columns))}
		sum := make([]float64, len(columns))
		for i, l := range columns[0] {
			row := "| " + l.Service + " | " + l.What
			for j, column := range columns {
				row += " | " + dollars(column[i].Dollars)
				sum[j] += column[i].Dollars
			}
			rows = append(rows, row+" |")
		}
		row := "| all | "
		for _, s := range sum {
			row += " | " + dollars(s)
		}
		return append(rows, row+" |")
	}
	var byFetches, byLicenses [][]Line
	for _, f := range fetches {
		byFetches = append(byFetches, c.Catalog(f))
	}
	for _, n := range licenses {
		byLicenses = append(byLicenses, c.Licenses(n))
	}
	heads := make([]string, len(fetches))
	for i, f := range fetches {
		heads[i] = size(f)
	}
	return [][]string{all,
		by("The stack by itself", "dollars", c.Idle()),
		by("Catalog fetches", strings.Join(heads, " | "), byFetches...),
		by("Licenses", sizes(licenses), byLicenses...),
		countedTable(c), operationTable(c), assumptionTable(), priceTable(),
	}
}

func countedTable(c Counted) []string {
	rows := []string{"Counted", "| what | how many |", "|---|---|",
		fmt.Sprintf("| bytes of `/editions.json` in brotli | %d |", c.Document),
		fmt.Sprintf("| seconds for which it is fresh | %d |", c.Fresh),
		fmt.Sprintf("| alarms of both templates | %d |", c.Alarms),
		fmt.Sprintf("| keys in KMS | %d |", c.Keys),
		fmt.Sprintf("| rules of the WebACL | %d |", c.Limits),
		fmt.Sprintf("| secrets, with that of the distributions' header | %d |", c.Secrets),
		fmt.Sprintf("| metrics that functions publish | %d |", c.Metrics),
		fmt.Sprintf("| editions and versions by which downloads are counted | %d |", c.Downloads),
		fmt.Sprintf("| write units for each license and year | %.1f |", c.PerLicense().Writes),
		fmt.Sprintf("| read units for each license and year | %.1f |", c.PerLicense().Reads),
		fmt.Sprintf("| kilobytes that a license keeps in the table | %.0f |", c.Stored()/1024),
	}
	for _, f := range fetches {
		reach := c.Expired(f)
		rows = append(rows, fmt.Sprintf("| of %s catalog fetches, those that reach the API | %.0f (%.4f %%) |", size(f),
			reach, 100*reach/f))
	}
	return rows
}

func operationTable(c Counted) []string {
	rows := []string{"A license's year", "| operation of storage.md | times | read units | write units |",
		"|---|---|---|---|"}
	for _, y := range yearly {
		u := c.units(y.Operation)
		rows = append(rows, fmt.Sprintf("| %s | %g | %g | %g |", y.Operation, y.Times, u.Reads, u.Writes))
	}
	return rows
}

func assumptionTable() []string {
	rows := []string{"Assumptions", "| what | value |", "|---|---|"}
	for _, a := range Assumptions {
		rows = append(rows, "| "+a.What+" | "+strconv.FormatFloat(a.Value, 'f', -1, 64)+" |")
	}
	return rows
}

func priceTable() []string {
	rows := []string{"Prices", "| service | unit | dollars | for | source |", "|---|---|---|---|---|"}
	for _, p := range Prices {
		price := strconv.FormatFloat(p.Dollars, 'f', -1, 64)
		for _, t := range p.Further {
			price += fmt.Sprintf(", from %s on %s", size(t.From), strconv.FormatFloat(t.Dollars, 'f', -1, 64))
		}
		rows = append(rows, fmt.Sprintf("| %s | %s | %s | %s | %s |", p.Service, p.Unit, price,
			strconv.FormatFloat(p.Per, 'f', -1, 64), p.Source))
	}
	return rows
}

func sizes(all []float64) string {
	var texts []string
	for _, n := range all {
		texts = append(texts, size(n)+" licenses")
	}
	return strings.Join(texts, " | ")
}

func size(n float64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%g billion", n/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%g million", n/1e6)
	}
	return fmt.Sprintf("%.0f", n)
}

// dollars writes cents only where they matter.
func dollars(d float64) string {
	if d >= 100 {
		return fmt.Sprintf("%.0f", d)
	}
	return fmt.Sprintf("%.2f", d)
}

func TestPriceOfFurtherUnits(t *testing.T) {
	p := Price{Dollars: 10, Per: 100, Further: []tier{{1000, 5}, {2000, 1}}}
	for units, want := range map[float64]float64{0: 0, 100: 10, 1000: 100, 1100: 105, 2000: 150, 3000: 160} {
		if got := p.of(units); math.Abs(got-want) > 1e-9 {
			t.Errorf("%g units: got %g, want %g", units, got, want)
		}
	}
}

func TestFetchesThatReachTheAPI(t *testing.T) {
	c := Counted{Fresh: 300}
	if got := c.Expired(1000); got < 990 || got > 1000 {
		t.Errorf("got %g of 1000 fetches in a month, want nearly all", got)
	}
	const times = regionalCaches * codings * hours * 12
	if got := c.Expired(1e12); math.Abs(got-times) > 1 {
		t.Errorf("got %g of very many fetches, want %d: one whenever the document expired", got, times)
	}
}

// TestAccountingIsComplete: emails and reminders are as many as the operations that send them.
func TestAccountingIsComplete(t *testing.T) {
	sent := 0.0
	for _, y := range yearly {
		if strings.HasPrefix(y.Operation, "send ") || strings.HasPrefix(y.Operation, "record a bounce") {
			sent += y.Times
		}
	}
	if math.Abs(sent-mails) > 1e-9 {
		t.Errorf("got %g emails in the operations of a year, want %g", sent, mails)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// rowsUnder returns the cells of the first table below a heading.
func rowsUnder(t *testing.T, name, heading string) (rows [][]string) {
	t.Helper()
	_, section, _ := strings.Cut(read(t, name), "\n## "+heading+"\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for _, line := range strings.Split(section, "\n") {
		if !strings.HasPrefix(line, "| ") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		rows = append(rows, cells)
	}
	if len(rows) < 2 {
		t.Fatalf("%s has no table under %q", name, heading)
	}
	return rows[1:]
}
