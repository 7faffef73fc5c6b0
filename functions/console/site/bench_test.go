package site

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table"
)

// BenchmarkConsole asks for the pages of a console with 100,000 licenses of 20,000 customers, the largest of which has
// 2,000 instances, and as many requests (a tenth of all with -short; ten times as many with LICENSES=1000000). It tells
// how long 95 of 100 answers took at the most. Filling the table takes minutes: run it with -benchtime 200x.
func BenchmarkConsole(b *testing.B) {
	n := 100_000
	if testing.Short() {
		n = 10_000
	}
	if more, err := strconv.Atoi(os.Getenv("LICENSES")); err == nil {
		n = more
	}
	w := newTestEnv(b)
	known := fill(b, w.table, n)
	for _, page := range []struct {
		name string
		path func() string
	}{
		{"queue", func() string { return "/console" }},
		{"queue filtered", func() string { return "/console?kind=renewal&edition=enterprise" }},
		{"queue of one state", func() string { return "/console?state=rejected&kind=staging" }},
		{"queue of mine", func() string { return "/console?show=mine&kind=renewal" }},
		{"queue of closed", func() string {
			return "/console?show=closed&after=" + known.day() + "T12:00:00Z%23x"
		}},
		{"search for a word", func() string { return searchFor(known.any(known.words)) }},
		{"search for the word of many", func() string { return searchFor("Systems") }},
		{"search for a person's name", func() string { return searchFor("Jane " + known.any(known.persons)) }},
		{"search for a mail domain", func() string { return searchFor(known.domain()) }},
		{"search for a server", func() string { return searchFor(known.any(known.servers)) }},
		{"search for the beginning of a server ID", func() string { return searchFor(known.any(known.servers)[:9]) }},
		{"search for a person", func() string { return searchFor(known.any(known.emails)) }},
		{"request", func() string { return "/console/requests/" + known.any(known.requests) }},
		{"customers", func() string { return "/console/customers" }},
		{"customer", func() string { return "/console/customers/" + known.any(known.customers) }},
		{"largest customer", func() string { return "/console/customers/" + known.largest }},
		{"issue for a request", func() string { return "/console/requests/" + known.any(known.open) + "/issue" }},
		{"renew a license", func() string { return "/console/licenses/" + known.any(known.licenses) + "/renew" }},
		{"license", func() string { return "/console/licenses/" + known.any(known.licenses) }},
		{"licenses of a month", func() string { return "/console/licenses?expires=2018-06" }},
		{"forecast", func() string { return remindersPath }},
		{"forecast of a day", func() string { return remindersPath + "?day=" + day("2018-05-20").String() }},
		{"overview", func() string { return "/console/overview" }},
	} {
		b.Run(page.name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				path := page.path()
				began := time.Now()
				status := w.get(sam, path).StatusCode
				took = append(took, time.Since(began))
				if status >= 400 {
					b.Fatalf("%s: %d", path, status)
				}
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
		})
	}
}

// records lists some of the records in a table.
type records struct {
	random                                              *rand.Rand
	words, servers, emails, persons, requests, licenses []string
	open, customers                                     []string
	largest                                             string
}

func (k *records) any(list []string) string { return list[k.random.IntN(len(list))] }

func (k *records) day() string {
	return license.DateOf(start).AddDays(-k.random.IntN(900)).String()
}

func (k *records) domain() string {
	_, domain, _ := strings.Cut(k.any(k.emails), "@")
	return domain
}

// fill writes n licenses of three years into a table, each with the request that it answered, by workers that do not
// get in each other's way: each has customers of one shard. One customer in a hundred has many instances, and the first
// of all has one for fifty licenses.
func fill(b *testing.B, t table.Table, n int) *records {
	k := &records{random: rand.New(rand.NewPCG(1, 2))}
	const licensesOfCustomer = 5
	shards := make([][]int, store.Shards)
	for i := range n / licensesOfCustomer {
		shard := store.Shard(storetest.CustomerID(companyName(i)))
		shards[shard] = append(shards[shard], i)
	}
	var mu sync.Mutex
	var workers sync.WaitGroup
	for shard, customers := range shards {
		workers.Go(func() {
			f := &filler{random: rand.New(rand.NewPCG(3, uint64(shard)))}
			f.store = store.New(t, store.Options{Now: func() time.Time { return f.now }}).Silent()
			for _, i := range customers {
				instances := 1 + f.random.IntN(3)
				switch {
				case i == 0:
					instances = n / 50
				case i%100 == 0:
					instances = 20 + f.random.IntN(40)
				}
				var of records
				if err := f.customer(b.Context(), i, instances, &of); err != nil {
					b.Errorf("%s: %v", companyName(i), err)
					return
				}
				mu.Lock()
				k.add(of, i == 0)
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	return k
}

// add adds what was written of a customer.
func (k *records) add(of records, largest bool) {
	if largest {
		k.largest = of.customers[0]
		return
	}
	k.words, k.servers, k.emails = append(k.words, of.words...), append(k.servers, of.servers...),
		append(k.emails, of.emails...)
	k.persons, k.requests = append(k.persons, of.persons...), append(k.requests, of.requests...)
	k.licenses, k.open = append(k.licenses, of.licenses...), append(k.open, of.open...)
	k.customers = append(k.customers, of.customers...)
}

type filler struct {
	store     *store.Store
	random    *rand.Rand
	now       time.Time
	contracts map[int]license.License // a license under the contract of each year
}

// companyName returns the name of the i-th customer.
func companyName(i int) string {
	return fmt.Sprintf("%s %s Systems GmbH", syllables(i), syllables(i*7+1))
}

// customer writes a customer with instances, each with licenses of one to three years.
func (f *filler) customer(ctx context.Context, i, instances int, k *records) error {
	name, person := companyName(i), syllables(i*3+2)
	c := storetest.NewCustomer(name, license.Contact{
		Name: "Jane " + person, Email: fmt.Sprintf("jane.%s@%s.example", strings.ToLower(person),
			strings.ToLower(syllables(i))),
	})
	c.Domains = []string{strings.ToLower(syllables(i)) + ".example"}
	f.now = start.Add(-time.Duration(f.random.IntN(3*365*24)) * time.Hour)
	if err := f.store.IssueLicenses(ctx, store.Issue{Customer: &c, By: "sam@vendor.example"}); err != nil {
		return err
	}
	k.customers, k.words = []string{string(c.Reference)}, strings.Fields(name)[:1]
	k.emails, k.persons = []string{c.Contacts[0].Email}, []string{person}
	for n := range instances {
		if n%instancesOfContract == 0 {
			f.contracts = map[int]license.License{}
		}
		server, years := f.server(), 1+f.random.IntN(3)
		if instances > 1000 {
			years = 1
		}
		for year := range years {
			f.now = start.AddDate(year-years, f.random.IntN(12), f.random.IntN(28))
			if f.now.After(start) {
				f.now = start.Add(-time.Hour)
			}
			if err := f.license(ctx, c, server, year-years, k); err != nil {
				return err
			}
		}
	}
	if i%50 == 0 { // some requests are still open
		f.now = start.Add(-time.Duration(f.random.IntN(40)) * time.Hour)
		r, _, err := storetest.FileRequest(ctx, f.store, f.details(c, f.server()), "")
		k.open = append(k.open, r.ID)
		return err
	}
	return nil
}

func (f *filler) details(c customer.Customer, server license.Server) request.Details {
	d := sampleDetails
	d.Kind, d.Edition = request.Kinds[f.random.IntN(len(request.Kinds))], license.Editions[1+f.random.IntN(3)]
	d.Server, d.Company, d.Name, d.Email = server, c.Name, c.Contacts[0].Name, c.Contacts[0].Email
	return d
}

// instancesOfContract is how many instances one contract covers.
const instancesOfContract = 100

// license files a request and answers it, under the contract of the year.
func (f *filler) license(ctx context.Context, c customer.Customer, server license.Server, year int, k *records) error {
	r, _, err := storetest.FileRequest(ctx, f.store, f.details(c, server), "")
	if err != nil {
		return err
	}
	f.now = f.now.Add(time.Duration(1+f.random.IntN(30)) * time.Hour)
	l := sampleLicense(r.ID, license.DateOf(f.now).AddMonths(12))
	l.Customer, l.Server, l.Edition, l.Organization = c.ID, server, r.Edition, c.Name
	l.NotBefore = license.DateOf(f.now)
	if first, ok := f.contracts[year]; ok {
		l.Contract, l.Edition, l.Expiration = first.Contract, first.Edition, first.Expiration
	}
	issue, err := storetest.Draft(ctx, f.store, l)
	if err != nil {
		return err
	}
	f.contracts[year] = issue.Licenses[0]
	issue.Request, issue.RequestVersion = r.ID, r.Version
	k.requests, k.licenses = append(k.requests, r.ID), append(k.licenses, l.ID)
	k.servers = append(k.servers, string(server))
	return f.store.IssueLicenses(ctx, issue)
}

func (f *filler) server() license.Server {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	id := []byte("AW")
	for len(id) < 20 {
		id = append(id, alphabet[f.random.IntN(len(alphabet))])
	}
	return license.Server(id)
}

// syllables returns a word for a number.
func syllables(n int) string {
	const consonants, vowels = "bdfgklmnprstvz", "aeiou"
	var word strings.Builder
	for range 4 {
		word.WriteByte(consonants[n%len(consonants)])
		word.WriteByte(vowels[n/len(consonants)%len(vowels)])
		n = n*31/7 + 5
	}
	s := word.String()
	return strings.ToUpper(s[:1]) + s[1:]
}
