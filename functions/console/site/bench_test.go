package site

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/table"
)

// BenchmarkConsole asks for the pages of a console with 100,000 requests and licenses (10,000 with -short), and tells
// how long 95 of 100 answers took at the most. Filling the table takes minutes: run it with -benchtime 200x.
func BenchmarkConsole(b *testing.B) {
	n := 100_000
	if testing.Short() {
		n = 10_000
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
		{"search for the word of many", func() string { return searchFor("GmbH") }},
		{"search for a server", func() string { return searchFor(known.any(known.servers)) }},
		{"search for a person", func() string { return searchFor(known.any(known.emails)) }},
		{"request", func() string { return "/console/requests/" + known.any(known.requests) }},
		{"license", func() string { return "/console/licenses/" + known.any(known.licenses) }},
		{"licenses of a month", func() string { return "/console/licenses?expires=2018-06" }},
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
	random                                     *rand.Rand
	words, servers, emails, requests, licenses []string
}

func (k *records) any(list []string) string { return list[k.random.IntN(len(list))] }

func (k *records) day() string {
	return license.DateOf(start).AddDays(-k.random.IntN(900)).String()
}

// fill writes n requests of three years into a table, the most of them answered with a license, by workers that do not
// get in each other's way: each has datasets of one shard.
func fill(b *testing.B, t table.Table, n int) *records {
	k := &records{random: rand.New(rand.NewPCG(1, 2))}
	var mu sync.Mutex
	var workers sync.WaitGroup
	for shard := range store.Shards {
		workers.Go(func() {
			f := &filler{random: rand.New(rand.NewPCG(3, uint64(shard))), shard: shard}
			f.store = store.New(t, store.Options{Now: func() time.Time { return f.now }})
			all := n / store.Shards
			pause := 3 * 365 * 24 * time.Hour / time.Duration(all)
			for i := range all {
				f.now = start.Add(-time.Duration(all-i) * pause)
				r, l, err := f.one(b.Context(), i < all*49/50) // the last ones are still open
				if err != nil {
					b.Error(err)
					return
				}
				if i%50 == 0 {
					mu.Lock()
					k.requests, k.servers, k.emails = append(k.requests, r.ID), append(k.servers, string(r.Server)),
						append(k.emails, r.Email)
					k.words = append(k.words, strings.Fields(r.Company)[0])
					if l != "" {
						k.licenses = append(k.licenses, l)
					}
					mu.Unlock()
				}
			}
		})
	}
	workers.Wait()
	return k
}

type filler struct {
	store   *store.Store
	random  *rand.Rand
	shard   int
	now     time.Time
	servers []license.Server // of customers who may come again
}

// server returns the server of an existing customer, four times out of five, or of a new one.
func (f *filler) server() license.Server {
	if len(f.servers) > 0 && f.random.IntN(5) > 0 {
		return f.servers[f.random.IntN(len(f.servers))]
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for {
		id := []byte("AW")
		for len(id) < 20 {
			id = append(id, alphabet[f.random.IntN(len(alphabet))])
		}
		if s := license.Server(id); store.Shard(s) == f.shard {
			f.servers = append(f.servers, s)
			return s
		}
	}
}

// one files a request and, where it is to be answered, answers it.
func (f *filler) one(ctx context.Context, answered bool) (r request.Request, licenseID string, err error) {
	d := sampleDetails
	d.Kind, d.Edition = request.Kinds[f.random.IntN(len(request.Kinds))], license.Editions[1+f.random.IntN(3)]
	d.Server = f.server()
	customer := int(d.Server[3])*131 + int(d.Server[4])*17 + int(d.Server[5])
	d.Company = fmt.Sprintf("%s %s GmbH", syllables(customer), syllables(customer*7+1))
	d.Email = fmt.Sprintf("jane@%s.example", strings.ToLower(syllables(customer)))
	if r, _, err = f.store.Silent().FileRequest(ctx, d, ""); err != nil {
		return r, "", err
	}
	if !answered {
		if f.random.IntN(2) == 0 {
			_, err = f.store.Silent().Review(ctx, store.Review{ID: r.ID, Version: 1, By: "sam@vendor.example",
				To: request.InReview})
		}
		return r, "", err
	}
	f.now = f.now.Add(time.Duration(1+f.random.IntN(30)) * time.Hour)
	if f.random.IntN(20) == 0 {
		_, err = f.store.Silent().Review(ctx, store.Review{ID: r.ID, Version: 1, By: "sam@vendor.example",
			To: request.Rejected, Text: "why"})
		return r, "", err
	}
	l := sampleLicense(r.ID, license.DateOf(f.now).AddMonths(12))
	l.Server, l.Edition, l.Organization, l.NotBefore = d.Server, d.Edition, d.Company, license.DateOf(f.now)
	l.Contacts = []license.Contact{{Name: "Jane Doe", Email: d.Email}}
	issue := store.Issue{Licenses: []license.License{l}, By: "sam@vendor.example", Request: r.ID, RequestVersion: 1}
	return r, l.ID, f.store.Silent().IssueLicenses(ctx, issue)
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
