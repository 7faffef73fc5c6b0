package customer

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/request"
)

// day reads a day of the tests.
func day(s string) license.Date {
	d, err := license.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// today is the day of the tests.
var today = day("2026-06-15")

// at is a time of the tests: the n-th day of 2026.
func at(n int) time.Time { return time.Date(2026, 1, n, 9, 0, 0, 0, time.UTC) }

// installed is an instance in use that was told to have IDs.
func installed(id string, e request.Environment, servers ...license.Server) Instance {
	i := Instance{ID: id, Environment: e, Created: at(1)}
	for n, s := range servers {
		i.Servers = append(i.Servers, ServerID{s, at(n + 1)})
	}
	return i
}

func production(id string, servers ...license.Server) Instance {
	return installed(id, request.ProductionUse, servers...)
}

func staging(id, mirrors string, servers ...license.Server) Instance {
	i := installed(id, request.StagingUse, servers...)
	i.Production = mirrors
	return i
}

func (i Instance) retired() Instance {
	i.Retired = at(2)
	return i
}

func (i Instance) with(licenses ...License) Instance {
	i.Licenses = append(slices.Clone(i.Licenses), licenses...)
	for n, l := range i.Licenses {
		if l.ID == "" {
			i.Licenses[n].ID = fmt.Sprintf("%s-l%d", i.ID, n+1)
		}
		if l.Type == "" {
			i.Licenses[n].Type = license.Production
			if i.Environment == request.StagingUse {
				i.Licenses[n].Type = license.Staging
			}
		}
	}
	return i
}

var terms = Terms{Edition: license.Enterprise, MaxLoc: 1_000_000, Languages: []string{"cobol"}, Support: true}

// key is a license of the terms under a contract.
func key(contract, first, last string) License {
	return License{Contract: contract, Edition: terms.Edition, MaxLoc: terms.MaxLoc, Languages: terms.Languages,
		Support: terms.Support, NotBefore: day(first), Expiration: day(last)}
}

func (l License) revoked() License {
	l.Revoked = at(100)
	return l
}

func (l License) lines(n int64) License {
	l.MaxLoc = n
	return l
}

func contract(id, renews, first, last string, production, staging int) Contract {
	return Contract{ID: id, Terms: terms, Renews: renews, First: day(first), Last: day(last), Production: production,
		Staging: staging}
}

func TestContactsAreWrittenToForTheirPurposeAndInstance(t *testing.T) {
	c := Customer{Contacts: []Contact{
		{Email: "all@customer.example"},
		{Email: "keys@customer.example", For: []Purpose{Keys}},
		{Email: "one@customer.example", Instances: []string{"p1"}},
		{Email: "renewals@bücher.example", For: []Purpose{Renewals}, Instances: []string{"p2"}},
	}}
	for _, test := range []struct {
		p        Purpose
		instance string
		want     []string
	}{
		{Keys, "p1", []string{"all@customer.example", "keys@customer.example", "one@customer.example"}},
		{Keys, "p2", []string{"all@customer.example", "keys@customer.example"}},
		{Renewals, "p1", []string{"all@customer.example", "one@customer.example"}},
		{Renewals, "p2", []string{"all@customer.example", "renewals@bücher.example"}},
	} {
		var got []string
		for _, contact := range c.ContactsFor(test.p, test.instance) {
			got = append(got, contact.Email)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s about %s: got %v, want %v", test.p, test.instance, got, test.want)
		}
	}
	if got, ok := c.Contact("Renewals@XN--BCHER-KVA.example"); !ok || got.Email != "renewals@bücher.example" {
		t.Errorf("got %+v, %v, want the contact in another spelling", got, ok)
	}
	if got, ok := c.Contact("nobody@customer.example"); ok {
		t.Errorf("got %+v of an address that is no contact's", got)
	}
}

func TestCurrentLicense(t *testing.T) {
	past, now := key("k1", "2025-01-01", "2025-12-31"), key("k1", "2026-01-01", "2026-12-31")
	ahead, longer := key("k2", "2027-01-01", "2027-12-31"), key("k1", "2026-03-01", "2027-02-28")
	for name, test := range map[string]struct {
		licenses []License
		want     license.Date
	}{
		"none":               {nil, license.Date{}},
		"only past":          {[]License{past}, past.Expiration},
		"past and ahead":     {[]License{past, ahead}, past.Expiration},
		"now before ahead":   {[]License{ahead, now, past}, now.Expiration},
		"the longer one":     {[]License{now, longer}, longer.Expiration},
		"not a revoked one":  {[]License{now, longer.revoked()}, now.Expiration},
		"the first ahead":    {[]License{key("k3", "2028-01-01", "2028-12-31"), ahead}, ahead.Expiration},
		"nothing is current": {[]License{now.revoked()}, license.Date{}},
	} {
		got, ok := production("p1").with(test.licenses...).Current(today)
		if got.Expiration != test.want || ok != (test.want != license.Date{}) {
			t.Errorf("%s: got the license until %s, %v, want %s", name, got.Expiration, ok, test.want)
		}
	}
}

func TestEverybodyOfAnInstanceIsTold(t *testing.T) {
	of := func(name string, contacts ...Contact) Customer {
		return Customer{Name: name, Contacts: contacts}
	}
	merged := []Customer{
		of("Acme", Contact{Email: "ada@acme.example", For: []Purpose{Renewals}},
			Contact{Email: "bob@acme.example", Instances: []string{"i1"}}),
		of("Initech", Contact{Email: "cleo@initech.example", Instances: []string{"i2"}},
			Contact{Email: "ADA@acme.example"}),
	}
	for _, test := range []struct {
		instances []string
		want      string
	}{
		{nil, "ada@acme.example bob@acme.example cleo@initech.example"},
		{[]string{"i1"}, "ada@acme.example bob@acme.example"},
		{[]string{"i1", "i2"}, "ada@acme.example bob@acme.example cleo@initech.example"},
		{[]string{"i3"}, "ada@acme.example"},
	} {
		var got []string
		for _, c := range Told(merged, test.instances...) {
			got = append(got, c.Email)
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%v: got %v, want %s", test.instances, got, test.want)
		}
	}
}
