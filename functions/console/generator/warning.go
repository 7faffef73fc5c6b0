package generator

import (
	"fmt"
	"slices"
	"strings"

	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
)

// Code identifies a kind of warning in forms and tests. Codes do not change.
type Code string

// The kinds of warnings.
const (
	LongTerm               Code = "long-term"                // more than LongTermDays
	BackDated              Code = "back-dated"               // begins or ends in the past
	Gap                    Code = "gap"                      // a renewal begins after the old license has ended
	RenewedBefore          Code = "renewed-before"           // the old license already has a successor
	SecondEvaluation       Code = "second-evaluation"        // the dataset already had one
	EmailDomain            Code = "email-domain"             // the key goes to a domain that is new for this customer
	StagingNotIncluded     Code = "staging-not-included"     // the contract has no staging licenses
	StagingLimit           Code = "staging-limit"            // more than StagingPerProduction
	LocBelowServer         Code = "loc-below-server"         // the server has more lines of code
	SmallerEdition         Code = "smaller-edition"          // than that of the previous license
	OtherEdition           Code = "other-edition"            // than that of the request
	OtherServer            Code = "other-server"             // than that of the request or of the renewed license
	DateServer             Code = "date-server"              // an ID that SonarQube 6.7 throws away at its start
	OtherType              Code = "other-type"               // than the request or the replaced license suggests
	CommunityLicense       Code = "community-license"        // for an edition whose box has no button
	LanguageWithoutPackage Code = "language-without-package" // no package in the email has its plugin
)

const (
	// LongTermDays is the longest term without a warning: a year, and some days to close a gap.
	LongTermDays = 400
	// StagingPerProduction is how many staging licenses a contract includes for a production license.
	StagingPerProduction = 1
)

// Warning is what an operator has to confirm before the license is issued.
type Warning struct {
	Code     Code
	Sentence string
}

// addWarnings adds what the operator has to confirm.
func (d *Draft) addWarnings() {
	d.checkTerm()
	d.checkRenewal()
	d.checkEvaluation()
	d.checkRecipient()
	d.checkContents()
	d.checkRequest()
	d.checkPackages()
	d.checkStaging()
}

func (d *Draft) warn(code Code, format string, args ...any) {
	d.Warnings = append(d.Warnings, Warning{code, fmt.Sprintf(format, args...)})
}

// checkTerm counts a renewal from the end of the old license, since that is what the customer pays for.
func (d *Draft) checkTerm() {
	l := d.Licenses[0]
	from := l.NotBefore
	if d.renewsData() {
		if next := d.Old.License.Expiration.AddDays(1); !from.After(next) {
			from = next
		}
	}
	if n := from.DaysUntil(l.Expiration) + 1; n > LongTermDays {
		d.warn(LongTerm, "The term is %d days, from %s through %s.", n, from.Long(), l.Expiration.Long())
	}
	switch {
	case l.Expiration.Before(d.today):
		d.warn(BackDated, "The last day, %s, is in the past: the key expires before it arrives.", l.Expiration.Long())
	case l.NotBefore.Before(d.today):
		d.warn(BackDated, "The first day, %s, is in the past.", l.NotBefore.Long())
	}
}

// renewsData reports whether the draft renews a license for the same dataset.
func (d *Draft) renewsData() bool {
	return d.Kind == request.Renewal && d.Old != nil && d.Licenses[0].Server.Dataset() == d.Old.License.Server.Dataset()
}

func (d *Draft) checkRenewal() {
	if d.Kind != request.Renewal || d.Old == nil {
		return
	}
	old, l := d.Old.License, d.Licenses[0]
	if old.Successor != "" {
		d.warn(RenewedBefore, "License %s was already renewed: its successor is %s.", old.ID, old.Successor)
	}
	if !old.Expiration.Before(d.today) && l.NotBefore.After(old.Expiration.AddDays(1)) {
		d.warn(Gap, "The old license ends on %s and this one begins on %s. In between, the server has no license.",
			old.Expiration.Long(), l.NotBefore.Long())
	}
}

func (d *Draft) checkEvaluation() {
	if d.Licenses[0].Type != license.Evaluation {
		return
	}
	if i := slices.IndexFunc(d.dataset.Licenses, d.isOtherEvaluation); i >= 0 {
		before := d.dataset.Licenses[i].License
		d.warn(SecondEvaluation, "This server already had an evaluation: %s, through %s.",
			before.ID, before.Expiration.Long())
	}
}

// isOtherEvaluation leaves out a license that is or was replaced: its replacement is the same evaluation.
func (d *Draft) isOtherEvaluation(r store.LicenseRecord) bool {
	replaced := r.License.ReplacedBy != "" || d.Revoked != nil && d.Revoked.ID == r.License.ID
	return r.License.Type == license.Evaluation && !replaced
}

// checkRecipient compares the domain of the recipient with those of the customer's contacts so far, or of the request.
func (d *Draft) checkRecipient() {
	to := d.Licenses[0].Contacts[0].Email
	sameDomain := func(email string) bool { return domain(email) == domain(to) }
	known := d.Previous
	if known == nil && d.production != nil {
		known = &d.production.License
	}
	if known == nil {
		if r := d.Request; r != nil && !sameDomain(r.Email) {
			d.warn(EmailDomain, "The key goes to %s. The request came from a different domain: %s.", to, r.Email)
		}
		return
	}
	if !slices.ContainsFunc(known.Contacts, func(c license.Contact) bool { return sameDomain(c.Email) }) {
		d.warn(EmailDomain, "The key goes to %s. The contacts of license %s are at different domains: %s.",
			to, known.ID, contactList(known.Contacts))
	}
}

// domain is the domain of an address as input.Mailbox writes it.
func domain(email string) string {
	email = input.Mailbox(email)
	return email[strings.LastIndexByte(email, '@')+1:]
}

// checkContents compares the license with the previous one and with the usual one for this kind of request.
func (d *Draft) checkContents() {
	l := d.Licenses[0]
	if l.Server.ReadsAsDate() {
		d.warn(DateServer, "The server ID %s reads as a date: SonarQube 6.7 and later discard it and make a new one, "+
			"so this key will not work there. Ask the customer for the ID that the upgraded server shows.", l.Server)
	}
	p := d.Previous
	if p != nil && p.Type != license.Evaluation && editionRank(l.Edition) < editionRank(p.Edition) {
		d.warn(SmallerEdition, "License %s is for the %s. This one is for a smaller edition, the %s.",
			p.ID, p.Edition.Name(), l.Edition.Name())
	}
	usual := d.defaultType()
	if asked := d.Request != nil && d.Kind != request.Renewal || d.Revoked != nil; asked && usual != l.Type {
		expected := "This request usually gets"
		if d.Revoked != nil {
			expected = "The replaced license is"
		}
		d.warn(OtherType, "%s %s license. This one is %s license.", expected, withArticle(usual), withArticle(l.Type))
	}
}

// withArticle returns the name of a type after "a" or "an".
func withArticle(t license.Type) string {
	if t == license.Evaluation {
		return "an " + t.Name()
	}
	return "a " + t.Name()
}

// checkRequest compares the license with the request, or with the license that is renewed without a request.
func (d *Draft) checkRequest() {
	l, r := d.Licenses[0], d.Request
	if r == nil {
		if d.Kind == request.Renewal && !d.renewsData() {
			d.warn(OtherServer, "The renewed license is for the server %s. This one is for %s.",
				d.Old.License.Server, l.Server)
		}
		return
	}
	if l.MaxLoc < r.Loc {
		d.warn(LocBelowServer, "The server has %s lines of code. The license allows %s.",
			license.Lines(r.Loc), license.Lines(l.MaxLoc))
	}
	if l.Edition != r.Edition {
		d.warn(OtherEdition, "The request is for the %s. The license is for the %s.",
			r.Edition.Name(), l.Edition.Name())
	}
	if l.Server != r.Server {
		d.warn(OtherServer, "The request is for the server %s. The license is for %s.", r.Server, l.Server)
	}
}

// checkPackages looks for the plugins of languages beyond the edition: only a custom package has them.
func (d *Draft) checkPackages() {
	l := d.Licenses[0]
	if l.Edition == license.Community {
		d.checkCommunity(len(l.Packages) > 0)
	}
	if len(d.extraPlugins) == 0 || len(l.Packages) > 0 {
		return
	}
	advice := "Custom packages are not available here: arrange another way to deliver the plugins."
	if d.CustomPackages() {
		advice = "Choose “Edit” and tick “Custom package”, unless the customer already has the plugins."
	}
	d.warn(LanguageWithoutPackage,
		"The license covers languages that the %s does not include: %s. "+
			"No package in the email contains their plugins: %s. %s",
		l.Edition.Name(), LanguageNames(d.Catalog, l.Languages), strings.Join(d.extraPlugins, ", "), advice)
}

// checkCommunity asks for a confirmation: the Marketplace page has no button for the Community Edition, and the License
// Manager comes only with a commercial plugin (client-contract.md §6).
func (d *Draft) checkCommunity(packaged bool) {
	advice := "The email links a custom package that has to be installed manually first."
	if !packaged {
		advice = "The email links no custom package, so there is nowhere to enter the key."
		if d.CustomPackages() {
			advice += " Choose “Edit” and select the product version to build one."
		}
	}
	d.warn(CommunityLicense, "SonarQube has no button to enter a license for the Community Edition. %s", advice)
}

// checkStaging counts staging licenses against their production license.
func (d *Draft) checkStaging() {
	var production *license.License
	n := 0
	switch l := d.Licenses[0]; {
	case l.Type == license.Staging:
		n = 1
		if d.production != nil {
			production = &d.production.License
		}
	case len(d.Licenses) > 1:
		n, production = len(d.Licenses)-1, &l
	default:
		return
	}
	switch {
	case production == nil:
		d.warn(StagingNotIncluded, "No production license is on record for this staging license.")
		return
	case !allowsStaging(*production):
		d.warn(StagingNotIncluded, "License %s for the %s has no support, so it includes no staging licenses.",
			production.ID, production.Edition.Name())
	}
	for _, r := range d.staging {
		if !slices.Contains(d.superseded, r.License.ID) && !r.License.Expiration.Before(d.today) {
			n++
		}
	}
	if n > StagingPerProduction {
		d.warn(StagingLimit, "The production server would have %d staging licenses. The contract includes %d.",
			n, StagingPerProduction)
	}
}

// allowsStaging reports whether a contract includes staging licenses: those for the larger editions do, and those with
// support.
func allowsStaging(production license.License) bool {
	return production.Support || production.Edition == license.Enterprise || production.Edition == license.DataCenter
}
