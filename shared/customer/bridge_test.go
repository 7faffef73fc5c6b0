package customer

import (
	"errors"
	"testing"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/request"
)

const (
	bridgeOld = license.Server("0A1B2C3D-AWHW8w9JtzBzSrmf9GQX")
	bridgeNew = license.Server("FFFFFFFF-AWHW8w9JtzBzSrmf9GQX")
)

type ask = BridgeAsked

// bridgeCase is a contact in effect who asks for a production server that moved, with everything in order.
func bridgeCase() (*Account, BridgeAsked, time.Time) {
	now := time.Date(2018, 6, 10, 23, 59, 59, 0, time.UTC)
	a := &Account{
		Customer: Customer{ID: "c", Name: "Acme", Domains: []string{"acme.example"}, Contacts: []Contact{
			{Name: "Ada", Email: "ada@acme.example", Since: now.AddDate(0, -3, 0)},
			{Name: "Bob", Email: "bob@partner.example", Since: now.AddDate(0, -3, 0), Instances: []string{"s"}},
			{Name: "Cy", Email: "cy@acme.example", Since: now.AddDate(0, 0, -2)},
		}},
		Instances: []Instance{
			{ID: "i", Customer: "c", Environment: request.ProductionUse,
				Servers: []ServerID{{Server: bridgeOld}},
				Licenses: []License{
					{ID: "l1", Type: license.Production, Server: bridgeOld, Edition: license.Developer, MaxLoc: 100,
						NotBefore:  license.Date{Year: 2018, Month: 1, Day: 1},
						Expiration: license.Date{Year: 2018, Month: 12, Day: 31}},
				}},
			{ID: "s", Customer: "c", Environment: request.StagingUse, Production: "i",
				Servers: []ServerID{{Server: "0A1B2C3D-AWHW8w9JtzBzSrmf9STG"}},
				Licenses: []License{
					{ID: "l2", Type: license.Staging, Server: "0A1B2C3D-AWHW8w9JtzBzSrmf9STG",
						Edition: license.Developer, MaxLoc: 100,
						Expiration: license.Date{Year: 2018, Month: 6, Day: 12}},
				}},
		},
	}
	r := request.Request{
		ID: "r", State: request.Received, Customer: "c", Instance: "i", Confirmed: now,
		Link: &request.Link{Contact: "ada@acme.example", License: "l1"},
		Details: request.Details{
			Kind: request.Replacement, Server: bridgeNew, Email: "ada@acme.example", Environment: request.ProductionUse,
			OldServer: request.OldStopped, Replaces: string(bridgeOld),
		},
	}
	return a, BridgeAsked{Request: r}, now
}

func TestProvenContactWhoseServerMovedGetsABridgeKey(t *testing.T) {
	a, asked, now := bridgeCase()
	got, err := a.BridgeFor(asked, now)
	if err != nil {
		t.Fatal(err)
	}
	first, last := license.Date{Year: 2018, Month: 6, Day: 10}, license.Date{Year: 2018, Month: 6, Day: 23}
	if got.Instance.ID != "i" || got.Old.ID != "l1" || got.NotBefore != first || got.Expiration != last {
		t.Errorf("got %s with the terms of %s, %s to %s; want i, l1, %s to %s", got.Instance.ID, got.Old.ID,
			got.NotBefore, got.Expiration, first, last)
	}
}

func TestBridgeKeyEndsWithTheOldLicense(t *testing.T) {
	for days := range 20 {
		a, asked, now := bridgeCase()
		today := license.DateOf(now)
		a.Instances[0].Licenses[0].Expiration = today.AddDays(days)
		// The next license has begun to be valid on paper only: the bridge key has the terms of the present one.
		a.Instances[0].Licenses = append(a.Instances[0].Licenses, License{
			ID: "next", Type: license.Production, Server: bridgeOld, NotBefore: today.AddDays(days + 1),
			Expiration: today.AddDays(400),
		})
		got, err := a.BridgeFor(asked, now)
		if want := today.AddDays(min(days, 13)); err != nil || got.Old.ID != "l1" || got.Expiration != want {
			t.Errorf("old license for %d days more: got %s through %s, %v; want l1 through %s", days, got.Old.ID,
				got.Expiration, err, want)
		}
	}
}

// TestNobodyElseGetsABridgeKey changes one thing of the case in which all is in order.
func TestNobodyElseGetsABridgeKey(t *testing.T) {
	today := license.Date{Year: 2018, Month: 6, Day: 10}
	for name, tt := range map[string]struct {
		change func(*Account, *BridgeAsked)
		want   BridgeCode // "" if it is given
	}{
		"issued":            {func(_ *Account, q *ask) { q.Request.State = request.Issued }, BridgeClosed},
		"rejected":          {func(_ *Account, q *ask) { q.Request.State = request.Rejected }, BridgeClosed},
		"in review":         {func(_ *Account, q *ask) { q.Request.State = request.InReview }, ""},
		"a question":        {func(_ *Account, q *ask) { q.Request.State = request.Waiting }, ""},
		"a renewal":         {func(_ *Account, q *ask) { q.Request.Kind = request.Renewal }, BridgeOtherKind},
		"a staging license": {func(_ *Account, q *ask) { q.Request.Kind = request.Staging }, BridgeOtherKind},
		"a bridge key":      {func(_ *Account, q *ask) { q.Request.Kind = request.Bridge }, BridgeOtherKind},
		"another customer":  {func(_ *Account, q *ask) { q.Request.Customer = "d" }, BridgeNoInstance},
		"no customer":       {func(_ *Account, q *ask) { q.Request.Customer = "" }, BridgeNoInstance},
		"unknown instance":  {func(_ *Account, q *ask) { q.Request.Instance = "x" }, BridgeNoInstance},
		"retired":           {func(a *Account, _ *ask) { a.Instances[0].Retired = time.Unix(1, 0) }, BridgeNoInstance},
		"found by replaces": {func(_ *Account, q *ask) { q.Request.Instance = "" }, ""},
		"not found": {func(_ *Account, q *ask) {
			q.Request.Instance, q.Request.Replaces, q.Request.Server = "", "", "AWHW8w9JtzBzSrmf9ABC"
		}, BridgeNoInstance},
		"not confirmed":  {func(_ *Account, q *ask) { q.Request.Confirmed = time.Time{} }, BridgeNoStanding},
		"forwarded link": {func(_ *Account, q *ask) { q.Request.Email = "eve@evil.example" }, BridgeNoStanding},
		"stranger": {func(_ *Account, q *ask) {
			q.Request.Email, q.Request.Link = "eve@evil.example", nil
		}, BridgeNoStanding},
		"stranger by sales": {func(_ *Account, q *ask) {
			q.Request.Email, q.Request.Link, q.BySales = "eve@evil.example", nil, true
		}, BridgeNoStanding},
		"stranger with a contact's yes": {func(_ *Account, q *ask) {
			q.Request.Email, q.Request.Link = "eve@evil.example", nil
			q.Request.Answers = []request.Answer{{By: "ada@acme.example", Yes: true}}
		}, BridgeNoStanding},
		"stranger with a contact's yes by sales": {func(_ *Account, q *ask) {
			q.Request.Email, q.Request.Link, q.BySales = "eve@evil.example", nil, true
			q.Request.Answers = []request.Answer{{By: "ada@acme.example", Yes: true}}
		}, BridgeNoStanding},
		"colleague with a contact's yes by sales": {func(_ *Account, q *ask) {
			q.Request.Email, q.Request.Link, q.BySales = "dan@acme.example", nil, true
			q.Request.Answers = []request.Answer{{By: "ada@acme.example", Yes: true}}
		}, ""},
		"confirmed contact without a link": {func(_ *Account, q *ask) { q.Request.Link = nil }, ""},
		"removed contact": {func(a *Account, _ *ask) {
			a.Customer.Contacts, a.Customer.Domains = a.Customer.Contacts[1:], nil
		}, BridgeNoStanding},
		"contact for other instances": {func(_ *Account, q *ask) {
			q.Request.Email, q.Request.Link = "bob@partner.example", nil
		}, BridgeNoStanding},
		"contact since two days": {func(_ *Account, q *ask) {
			q.Request.Email, q.Request.Link.Contact = "cy@acme.example", "cy@acme.example"
		}, BridgeNoStanding},
		"contact since two days by sales": {func(_ *Account, q *ask) {
			q.Request.Email, q.Request.Link, q.BySales = "cy@acme.example", nil, true
		}, ""},
		"colleague": {func(_ *Account, q *ask) {
			q.Request.Email, q.Request.Link = "dan@acme.example", nil
		}, BridgeNoStanding},
		"colleague by sales": {func(_ *Account, q *ask) {
			q.Request.Email, q.Request.Link, q.BySales = "dan@acme.example", nil, true
		}, ""},
		"unconfirmed colleague by sales": {func(_ *Account, q *ask) {
			q.Request.Email, q.Request.Link, q.BySales, q.Request.Confirmed = "dan@acme.example", nil, true, time.Time{}
		}, BridgeNoStanding},
		"colleague of a shared domain by sales": {func(_ *Account, q *ask) {
			q.Request.Email, q.Request.Link, q.BySales, q.DomainShared = "dan@acme.example", nil, true, true
		}, BridgeNoStanding},
		"a contact said no": {func(a *Account, q *ask) {
			q.Request.Email, q.Request.Link, q.BySales = "dan@acme.example", nil, true
			q.Request.Answers = []request.Answer{{By: "ada@acme.example"}}
		}, BridgeRefused},
		"expired": {func(a *Account, _ *ask) {
			a.Instances[0].Licenses[0].Expiration = today.AddDays(-1)
		}, BridgeNoLicense},
		"last day": {func(a *Account, _ *ask) { a.Instances[0].Licenses[0].Expiration = today }, ""},
		"revoked": {func(a *Account, _ *ask) {
			a.Instances[0].Licenses[0].Revoked = time.Unix(1, 0)
		}, BridgeNoLicense},
		"begins tomorrow": {func(a *Account, _ *ask) {
			a.Instances[0].Licenses[0].NotBefore = today.AddDays(1)
		}, BridgeNoLicense},
		"never licensed": {func(a *Account, _ *ask) { a.Instances[0].Licenses = nil }, BridgeNoLicense},
		"evaluation": {func(a *Account, _ *ask) {
			a.Instances[0].Licenses[0].Type = license.Evaluation
		}, ""},
		"same server": {func(_ *Account, q *ask) { q.Request.Server = bridgeOld }, BridgeSameServer},
		"lost key":    {func(_ *Account, q *ask) { q.Request.OldServer = request.OldSame }, BridgeSameServer},
		"prefix after an upgrade": {func(a *Account, _ *ask) {
			a.Instances[0].Licenses[0].Server = license.Server(bridgeOld.Dataset())
		}, BridgeUpgraded},
		"prefix lost": {func(_ *Account, q *ask) {
			q.Request.Server = license.Server(bridgeOld.Dataset())
		}, ""},
		"ID that is a date": {func(_ *Account, q *ask) { q.Request.Server = "20110407133530" }, BridgeDate},
		"old server runs": {func(_ *Account, q *ask) {
			q.Request.OldServer = request.OldRunning
		}, BridgeRunning},
		"old server lost":        {func(_ *Account, q *ask) { q.Request.OldServer = request.OldLost }, ""},
		"not said what happened": {func(_ *Account, q *ask) { q.Request.OldServer = "" }, BridgeRunning},
		"for staging":            {func(_ *Account, q *ask) { q.Request.Environment = request.StagingUse }, BridgeUse},
		"staging": {func(_ *Account, q *ask) {
			q.Request.Instance, q.Request.Environment = "s", request.StagingUse
		}, ""},
		"production's ID for staging": {func(_ *Account, q *ask) {
			q.Request.Instance, q.Request.Environment, q.Request.Server = "s", request.StagingUse, bridgeOld
		}, BridgeKnown},
		"staging's ID for production": {func(_ *Account, q *ask) {
			q.Request.Server = "0A1B2C3D-AWHW8w9JtzBzSrmf9STG"
		}, BridgeKnown},
		"server of another customer": {func(_ *Account, q *ask) { q.Elsewhere = true }, BridgeKnown},
		"90 days less a second":      {bridgedBefore(90*24*time.Hour - time.Second), BridgeTooSoon},
		"90 days":                    {bridgedBefore(90 * 24 * time.Hour), ""},
		"revoked last week": {func(a *Account, q *ask) {
			bridgedBefore(7*24*time.Hour)(a, q)
			a.Instances[0].Bridges[0].Revoked = time.Unix(1, 0)
		}, BridgeTooSoon},
		"another instance's": {func(a *Account, q *ask) {
			bridgedBefore(time.Hour)(a, q)
			a.Instances[0].Bridges, a.Instances[1].Bridges = nil, a.Instances[0].Bridges
		}, ""},
	} {
		a, asked, now := bridgeCase()
		tt.change(a, &asked)
		_, err := a.BridgeFor(asked, now)
		got := BridgeCode("")
		if no, ok := errors.AsType[*NoBridge](err); ok {
			got = no.Code
			if no.Sentence == "" {
				t.Errorf("%s: no sentence", name)
			}
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

// bridgedBefore gives the production instance a bridge key that was issued some time ago.
func bridgedBefore(ago time.Duration) func(*Account, *BridgeAsked) {
	return func(a *Account, _ *ask) {
		_, _, now := bridgeCase()
		a.Instances[0].Bridges = []Bridge{
			{License: License{ID: "b"}, Bridges: "l1", Issued: now.Add(-ago)},
		}
	}
}
