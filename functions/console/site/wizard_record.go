package site

import (
	"fmt"
	"strconv"
	"strings"

	"marketplace/functions/console/generator"
	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/request"
)

// recordView is what is on record about the subject of the wizard's form, which stands beside it.
type recordView struct {
	Request   *request.Request
	Asks      string // the request's kind in a word
	Customer  *customer.Customer
	Page      string             // address of the customer's page
	Contracts []contractSummary  // the customer's
	Instance  *customer.Instance // that the license is for
	Staging   int                // instances that mirror it
	Old       *customer.License  // that is renewed, replaced or upgraded
	Latest    bool               // Old is what the instance has, rather than what the draft is about
}

// contractSummary is a contract in a few words.
type contractSummary struct {
	customer.Contract
	Use   customer.Use
	Terms string // Enterprise, 1'000'000 lines, support
	State string // "through 30 Apr 2018"
}

func recordOf(d *generator.Draft, today license.Date) (v recordView) {
	if v.Request = d.Request; d.Request != nil {
		v.Asks = shortKind(d.Request.Kind)
	}
	if d.Account == nil {
		return v
	}
	v.Customer, v.Page = &d.Account.Customer, customerPage(d.Account.Customer)
	for _, k := range d.Account.Contracts {
		if k.Active(today) || d.Old != nil && d.Old.Contract == k.ID || strings.HasSuffix(d.Form.Contract, k.ID) {
			v.Contracts = append(v.Contracts, summaryOfContract(d.Account, k, today))
		}
	}
	v.Instance = d.Instance
	if d.Instance == nil {
		return v
	}
	v.Staging = len(d.Account.StagingOf(d.Instance.ID))
	if v.Old = d.Old; v.Old == nil {
		if l, ok := d.Instance.Current(today); ok {
			v.Old, v.Latest = &l, true
		}
	}
	return v
}

func summaryOfContract(a *customer.Account, k customer.Contract, today license.Date) contractSummary {
	s := contractSummary{Contract: k, Use: a.Use(k.ID, today)}
	s.Terms = shortEdition(k.Edition) + ", " + license.Lines(k.MaxLoc) + " lines"
	if k.Support {
		s.Terms += ", support"
	}
	switch {
	case !k.Ended.IsZero():
		s.State = "ended on " + license.DateOf(k.Ended).Long()
		if k.EndedReason != "" {
			s.State += " (" + k.EndedReason + ")"
		}
	case today.After(k.Last):
		s.State = "expired on " + k.Last.Long()
	case k.First.After(today):
		s.State = k.First.Long() + " through " + k.Last.Long()
	default:
		s.State = "through " + k.Last.Long()
	}
	return s
}

// Counts says how many instances use the contract: 1 of 2 production, 1 of 2 staging used.
func (s contractSummary) Counts() string {
	return fmt.Sprintf("%d of %d production, %d of %d staging used", s.Use.Production, s.Production, s.Use.Staging,
		s.Staging)
}

// Line is the contract in one line, without its reference.
func (s contractSummary) Line() string { return s.Terms + ", " + s.State + ", " + s.Counts() }

// customerPage is the address of a customer's page.
func customerPage(c customer.Customer) string { return customerPath(c.Reference) }

// Term is the license's term in words.
func (v recordView) Term() string {
	if v.Old.NotBefore.IsZero() {
		return "through " + v.Old.Expiration.Long()
	}
	return v.Old.NotBefore.Long() + " through " + v.Old.Expiration.Long()
}

// Former lists the server IDs that the instance had before.
func (v recordView) Former() (list []license.Server) {
	for _, s := range v.Instance.Servers {
		if s.Server != v.Instance.Server() {
			list = append(list, s.Server)
		}
	}
	return list
}

// StagingLine says how many staging instances mirror the instance; "" for none.
func (v recordView) StagingLine() string {
	switch v.Staging {
	case 0:
		return ""
	case 1:
		return "1 instance"
	}
	return strconv.Itoa(v.Staging) + " instances"
}
