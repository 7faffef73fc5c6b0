package generator

import (
	"fmt"
	"slices"
	"strings"

	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
)

// Code names a Warning for good.
type Code string

// What asks for a second confirmation.
const (
	LongTerm               Code = "long-term"                // more than LongTermDays
	BackDated              Code = "back-dated"               // begins or ends in the past
	Gap                    Code = "gap"                      // a renewal begins after the old license has ended
	RenewedBefore          Code = "renewed-before"           // another license follows the old one already
	SecondEvaluation       Code = "second-evaluation"        // the dataset has had one
	EmailDomain            Code = "email-domain"             // the key goes to another domain than before, or than the request came from
	StagingNotIncluded     Code = "staging-not-included"     // the contract has no staging licenses
	StagingLimit           Code = "staging-limit"            // more than StagingPerProduction
	LocBelowServer         Code = "loc-below-server"         // the server counts more lines of code
	SmallerEdition         Code = "smaller-edition"          // than before
	OtherEdition           Code = "other-edition"            // than the request's
	OtherServer            Code = "other-server"             // than the request's or the renewed license's
	OtherType              Code = "other-type"               // than what was asked for, or than what is replaced
	LanguageWithoutPackage Code = "language-without-package" // one beyond the edition, and no package with its plugin is in the mail
)

// LongTermDays is from how many days on a term is more than anybody ordinarily buys: a year, and some to close a gap.
const LongTermDays = 400

// Warning is something that an operator has to confirm before the license is issued.
type Warning struct {
	Code     Code
	Sentence string
}

// doubts gathers warnings.
type doubts struct {
	basis
	plan
	tailors bool // packages are tailored here
	list    []Warning
}

// warnings are what asks for a second confirmation in a plan.
func (g *Generator) warnings(b basis, p plan) []Warning {
	d := doubts{basis: b, plan: p, tailors: g.Packager != nil}
	d.term()
	d.renewal()
	d.people()
	d.contents()
	d.packages()
	d.copies()
	return d.list
}

func (d *doubts) add(code Code, format string, args ...any) {
	d.list = append(d.list, Warning{code, fmt.Sprintf(format, args...)})
}

// term: what a renewal adds counts from the end of the old license, since that is what the customer pays for.
func (d *doubts) term() {
	l := d.licenses[0]
	from := l.NotBefore
	if d.kind == request.Renewal && d.old != nil && l.Server.Dataset() == d.old.License.Server.Dataset() &&
		!from.After(d.old.License.Expiration.AddDays(1)) {
		from = d.old.License.Expiration.AddDays(1)
	}
	if n := from.DaysUntil(l.Expiration) + 1; n > LongTermDays {
		d.add(LongTerm, "The term has %d days, from %s through %s.", n, from.Long(), l.Expiration.Long())
	}
	switch {
	case l.Expiration.Before(d.today):
		d.add(BackDated, "The last day, %s, is in the past: the key would have expired when it arrives.", l.Expiration.Long())
	case l.NotBefore.Before(d.today):
		d.add(BackDated, "The first day, %s, is in the past.", l.NotBefore.Long())
	}
}

func (d *doubts) renewal() {
	if d.kind != request.Renewal || d.old == nil {
		return
	}
	old, l := d.old.License, d.licenses[0]
	if old.Successor != "" {
		d.add(RenewedBefore, "The license %s was renewed before: %s follows it.", old.ID, old.Successor)
	}
	if !old.Expiration.Before(d.today) && l.NotBefore.After(old.Expiration.AddDays(1)) {
		d.add(Gap, "The old license ends on %s and this one begins on %s: in between the server has none.", old.Expiration.Long(), l.NotBefore.Long())
	}
}

func (d *doubts) people() {
	l := d.licenses[0]
	if l.Type == license.Evaluation {
		if i := slices.IndexFunc(d.dataset.Licenses, d.wasEvaluation); i >= 0 {
			before := d.dataset.Licenses[i].License
			d.add(SecondEvaluation, "The server has had an evaluation before: %s, through %s.", before.ID, before.Expiration.Long())
		}
	}
	reference := d.previous
	if reference == nil && d.production != nil {
		reference = &d.production.License
	}
	if reference == nil {
		if r := d.request; r != nil && !strings.EqualFold(domain(r.Email), domain(l.Contacts[0].Email)) {
			d.add(EmailDomain, "The key goes to %s. The request came from another domain: %s.", l.Contacts[0].Email, r.Email)
		}
		return
	}
	known := func(c license.Contact) bool { return strings.EqualFold(domain(c.Email), domain(l.Contacts[0].Email)) }
	if !slices.ContainsFunc(reference.Contacts, known) {
		d.add(EmailDomain, "The key goes to %s. The contacts of the license %s are at other domains: %s.",
			l.Contacts[0].Email, reference.ID, contactList(reference.Contacts))
	}
}

// wasEvaluation: one that is replaced now or was before is the same evaluation still.
func (d *doubts) wasEvaluation(r store.LicenseRecord) bool {
	replaced := r.License.ReplacedBy != "" || d.replaces() && r.License.ID == d.old.License.ID
	return r.License.Type == license.Evaluation && !replaced
}

func domain(email string) string { return email[strings.LastIndexByte(email, '@')+1:] }

func (d *doubts) contents() {
	l := d.licenses[0]
	if d.previous != nil && d.previous.Type != license.Evaluation && size(l.Edition) < size(d.previous.Edition) {
		d.add(SmallerEdition, "The license %s has the %s, this one the %s.", d.previous.ID, d.previous.Edition.Name(), l.Edition.Name())
	}
	if wanted := d.defaultType(); wanted != l.Type && (d.request != nil && d.kind != request.Renewal || d.replaces()) {
		d.add(OtherType, "What is asked for is of the type %s, the license of the type %s.", wanted.Name(), l.Type.Name())
	}
	if r := d.request; r != nil {
		if l.MaxLoc < r.Loc {
			d.add(LocBelowServer, "The server counts %s lines of code; the license allows %s.", license.Lines(r.Loc), license.Lines(l.MaxLoc))
		}
		if l.Edition != r.Edition {
			d.add(OtherEdition, "The request is for the %s, the license for the %s.", r.Edition.Name(), l.Edition.Name())
		}
		if l.Server != r.Server {
			d.add(OtherServer, "The request is for the server %s, the license for %s.", r.Server, l.Server)
		}
		return
	}
	if d.kind == request.Renewal && d.old != nil && l.Server.Dataset() != d.old.License.Server.Dataset() {
		d.add(OtherServer, "The license that it renews is for the server %s, this one for %s.", d.old.License.Server, l.Server)
	}
}

// packages: those that the mail links bring the plugins of the edition, or those of the whole license where one is tailored.
func (d *doubts) packages() {
	l := d.licenses[0]
	_, extra, err := plugins(d.catalog, l.Edition, l.Languages)
	if err != nil || len(extra) == 0 || len(l.Packages) > 0 {
		return
	}
	mend := "Packages cannot be tailored here: see how the customer gets them."
	if d.tailors {
		mend = "Make one first (“Change something”, then “A package of its own”), unless the customer has them."
	}
	d.add(LanguageWithoutPackage, "The license has languages beyond the %s: %s. The mail links no package that brings their plugins: %s. %s",
		l.Edition.Name(), LanguageNames(d.catalog, l.Languages), strings.Join(extra, ", "), mend)
}

// copies: staging licenses are counted against the production license beside them.
func (d *doubts) copies() {
	var production *license.License
	issued := 0
	switch l := d.licenses[0]; {
	case l.Type == license.Staging:
		issued = 1
		if d.production != nil {
			production = &d.production.License
		}
	case len(d.licenses) > 1:
		issued, production = len(d.licenses)-1, &l
	default:
		return
	}
	switch {
	case production == nil:
		d.add(StagingNotIncluded, "There is no production license on record that this staging license stands beside.")
		return
	case !allowsStaging(*production):
		d.add(StagingNotIncluded, "The license %s of the %s has no support, and so no staging licenses.", production.ID, production.Edition.Name())
	}
	n := issued
	for _, r := range d.staging {
		if !slices.Contains(d.superseded, r.License.ID) && !r.License.Expiration.Before(d.today) {
			n++
		}
	}
	if n > StagingPerProduction {
		d.add(StagingLimit, "The production server would have %d staging licenses; the contract has %d.", n, StagingPerProduction)
	}
}
