package customer

import (
	"testing"
	"time"

	"marketplace/shared/request"
)

func TestContactSeesTheirOwnRequestsAndThoseOfContactsAboutTheirInstances(t *testing.T) {
	now := time.Date(2018, 3, 5, 9, 30, 0, 0, time.UTC)
	since := now.AddDate(0, -1, 0)
	a := &Account{
		Customer: Customer{ID: "c1", Contacts: []Contact{
			{Email: "ada@acme.example", Since: since},
			{Email: "sven@acme.example", Since: since, Instances: []string{"i2"}},
		}},
		Instances: []Instance{{ID: "i1", Customer: "c1"}, {ID: "i2", Customer: "c1"}},
	}
	from := func(email, of, instance string) request.Request {
		return request.Request{Details: request.Details{Email: email}, Customer: of, Instance: instance, Confirmed: now}
	}
	unconfirmed := from("ada@acme.example", "c1", "i2")
	unconfirmed.Confirmed = time.Time{}
	for name, tt := range map[string]struct {
		r         request.Request
		ada, sven bool
	}{
		"own, of no customer":       {from("Ada@acme.example", "", ""), true, false},
		"own, of another customer":  {from("ada@acme.example", "c2", "i9"), false, false},
		"ada's about one":           {from("ada@acme.example", "c1", "i1"), true, false},
		"ada's about sven's":        {from("ada@acme.example", "c1", "i2"), true, true},
		"ada's about a new one":     {from("ada@acme.example", "c1", ""), true, false},
		"sven's":                    {from("sven@acme.example", "c1", "i2"), true, true},
		"a stranger's":              {from("eve@gmail.com", "c1", "i2"), false, false},
		"of another customer":       {from("bea@borealis.example", "c2", "i9"), false, false},
		"in ada's name, not by her": {unconfirmed, true, false},
	} {
		for email, want := range map[string]bool{"ada@acme.example": tt.ada, "sven@acme.example": tt.sven} {
			seen, ok := a.SeenBy(email, now)
			if got := seen.SeesRequest(tt.r); !ok || got != want {
				t.Errorf("%s: %s sees it: %v, want %v", name, email, got, want)
			}
		}
	}
}
