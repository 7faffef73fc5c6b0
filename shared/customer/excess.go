package customer

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"marketplace/shared/license"
	"marketplace/shared/request"
)

// Code says in which way a license goes beyond its contract.
type Code string

const (
	BeyondEdition    Code = "edition"
	BeyondLoc        Code = "lines-of-code"
	BeyondLanguages  Code = "languages"
	BeyondSupport    Code = "support"
	BeyondLast       Code = "last-day"
	BeforeFirst      Code = "first-day"
	BeyondProduction Code = "production-count"
	BeyondStaging    Code = "staging-count"
	StagingBarred    Code = "staging-not-included" // the terms allow no staging
	EndedEarly       Code = "ended-early"
	Expired          Code = "expired"
)

// Codes lists every code, in the order of Beyond.
var Codes = []Code{EndedEarly, Expired, BeyondEdition, BeyondLoc, BeyondLanguages, BeyondSupport, BeforeFirst,
	BeyondLast, StagingBarred, BeyondProduction, BeyondStaging}

// Excess is one way in which a license goes beyond its contract.
type Excess struct {
	Code Code
	// License and Contract are what each says: an edition, a number, keys of languages with commas between, a day. Of a
	// count, License is the number of instances with this one. Of EndedEarly and Expired, Contract is the day.
	License  string
	Contract string
	Reason   string // of EndedEarly: why
}

// Sentence returns the excess as people read it.
func (e Excess) Sentence() string {
	switch e.Code {
	case EndedEarly:
		if e.Reason != "" {
			return fmt.Sprintf("The contract ended early, on %s (%s).", e.Contract, e.Reason)
		}
		return fmt.Sprintf("The contract ended early, on %s.", e.Contract)
	case Expired:
		return fmt.Sprintf("The contract expired on %s.", e.Contract)
	case BeyondEdition:
		return fmt.Sprintf("The license is for the %s; the contract covers the %s.", e.License, e.Contract)
	case BeyondLoc:
		return fmt.Sprintf("The license allows %s lines of code; the contract covers %s for each instance.", e.License,
			e.Contract)
	case BeyondLanguages:
		return fmt.Sprintf("The contract does not cover these additional languages: %s.", e.License)
	case BeyondSupport:
		return "The license includes support; the contract does not."
	case BeforeFirst:
		return fmt.Sprintf("The license starts on %s; the contract starts on %s.", e.License, e.Contract)
	case BeyondLast:
		return fmt.Sprintf("The license expires on %s; the contract ends on %s.", e.License, e.Contract)
	case StagingBarred:
		return "The contract includes no staging: it needs the Enterprise Edition, the Data Center Edition or support."
	case BeyondProduction, BeyondStaging:
		kind := "production"
		if e.Code == BeyondStaging {
			kind = "staging"
		}
		return fmt.Sprintf("With this license, %s %s instances use the contract; it covers %s.", e.License, kind,
			e.Contract)
	}
	return string(e.Code)
}

// Beyond returns each way in which a license that is to be issued goes beyond its contract. The license names its
// instance, or none for a new one; with are the other licenses that the same action issues under the contract, which
// count as well. An evaluation has no contract and goes beyond none.
func (a *Account) Beyond(c Contract, l license.License, with []license.License, today license.Date) (list []Excess) {
	if l.Type == license.Evaluation {
		return nil
	}
	add := func(is bool, code Code, license, contract string) {
		if is {
			list = append(list, Excess{Code: code, License: license, Contract: contract})
		}
	}
	if !c.Ended.IsZero() {
		list = append(list, Excess{Code: EndedEarly, Contract: license.DateOf(c.Ended).Long(), Reason: c.EndedReason})
	}
	add(today.After(c.Last), Expired, "", c.Last.Long())
	add(larger(l.Edition, c.Edition), BeyondEdition, l.Edition.Name(), c.Edition.Name())
	add(l.MaxLoc > c.MaxLoc, BeyondLoc, license.Lines(l.MaxLoc), license.Lines(c.MaxLoc))
	more := beyond(l.Languages, c.Languages)
	add(len(more) > 0, BeyondLanguages, strings.Join(more, ", "), strings.Join(c.Languages, ", "))
	add(l.Support && !c.Support, BeyondSupport, "", "")
	first := l.NotBefore
	if first.IsZero() {
		first = today // a license without a start is valid at once
	}
	add(first.Before(c.First), BeforeFirst, first.Long(), c.First.Long())
	add(l.Expiration.After(c.Last), BeyondLast, l.Expiration.Long(), c.Last.Long())
	used := a.useWith(c.ID, append([]license.License{l}, with...), today)
	if l.Type == license.Staging {
		add(!c.StagingAllowed(), StagingBarred, "", "")
		add(used.Staging > c.Staging, BeyondStaging, strconv.Itoa(used.Staging), strconv.Itoa(c.Staging))
	} else {
		add(used.Production > c.Production, BeyondProduction, strconv.Itoa(used.Production), strconv.Itoa(c.Production))
	}
	return list
}

// useWith counts the instances of a contract with those of licenses that are to be issued.
func (a *Account) useWith(contract string, drafts []license.License, today license.Date) Use {
	used := a.Use(contract, today)
	counted := map[string]bool{}
	for _, d := range drafts {
		i := a.Instance(d.Instance)
		if d.Type == license.Evaluation || counted[d.Instance] || i != nil && i.uses(contract, today) {
			continue
		}
		counted[d.Instance] = d.Instance != ""
		environment := request.ProductionUse
		if d.Type == license.Staging {
			environment = request.StagingUse
		}
		used.add(environment)
	}
	return used
}

// larger reports whether edition a has more than b; an unknown one has more than any.
func larger(a, b license.Edition) bool {
	if a == b {
		return false
	}
	of := slices.Index(license.Editions, a)
	return of < 0 || of > slices.Index(license.Editions, b)
}

// beyond returns the items of list that are not in covered.
func beyond(list, covered []string) (more []string) {
	for _, item := range list {
		if !slices.Contains(covered, item) {
			more = append(more, item)
		}
	}
	return more
}
