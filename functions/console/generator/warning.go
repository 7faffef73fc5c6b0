package generator

import (
	"fmt"
	"slices"
	"strings"

	"marketplace/shared/customer"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/request"
)

// Code identifies a kind of warning in forms and tests. Codes do not change.
type Code string

// The kinds of warnings.
const (
	LongTerm               Code = "long-term"                // more than LongTermDays
	BackDated              Code = "back-dated"               // begins or ends in the past
	Gap                    Code = "gap"                      // a renewal begins after the old license has ended
	RenewedBefore          Code = "renewed-before"           // the old license already has a successor
	SecondEvaluation       Code = "second-evaluation"        // the customer has had one
	OtherCustomer          Code = "other-customer"           // the server is on record at another customer
	OtherOrganization      Code = "other-organization"       // than the customer's name
	OnOwnWord              Code = "on-own-word"              // nobody who may asked for it (Options.OneOperator)
	NotAContact            Code = "not-a-contact"            // the key goes to somebody who is no contact
	EmailDomain            Code = "email-domain"             // the key for a new customer goes to another domain
	BeyondContract         Code = "beyond-contract"          // a license goes beyond what the contract covers
	ContractEnded          Code = "contract-ended"           // the contract was ended early
	StagingNotIncluded     Code = "staging-not-included"     // the terms allow no staging
	StagingRetired         Code = "staging-retired"          // staging that a smaller contract does not cover
	WithoutProduction      Code = "without-production"       // staging whose production server is not known
	ProductionID           Code = "production-id"            // staging with the server ID that production has
	CopyOrMoved            Code = "copy-or-moved"            // a known dataset under an ID that is new
	LocBelowServer         Code = "loc-below-server"         // the server has more lines of code
	SmallerEdition         Code = "smaller-edition"          // than that of the previous license
	OtherEdition           Code = "other-edition"            // than that of the request
	OtherServer            Code = "other-server"             // than that of the request or of the instance
	PlannedServer          Code = "planned-server"           // the ID of the server before a planned change of it
	DateServer             Code = "date-server"              // an ID that SonarQube 6.7 throws away at its start
	ReplacesNothing        Code = "replaces-nothing"         // the request replaces nothing on record, or not theirs
	OtherType              Code = "other-type"               // than the request or the replaced license suggests
	CommunityLicense       Code = "community-license"        // for an edition whose box has no button
	LanguageWithoutPackage Code = "language-without-package" // no package in the email has its plugin
)

// LongTermDays is the longest term without a warning: a year, and some days to close a gap.
const LongTermDays = 400

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
	d.checkCustomer()
	d.checkRecipient()
	d.checkAuthority()
	d.checkContract()
	d.checkContents()
	d.checkRequest()
	d.checkPackages()
}

// warn adds a warning, or a sentence to the one of the same kind.
func (d *Draft) warn(code Code, format string, args ...any) {
	sentence := fmt.Sprintf(format, args...)
	for i, w := range d.Warnings {
		if w.Code == code {
			d.Warnings[i].Sentence += " " + sentence
			return
		}
	}
	d.Warnings = append(d.Warnings, Warning{code, sentence})
}

// checkTerm counts a renewal from the end of the old license, since that is what the customer pays for.
func (d *Draft) checkTerm() {
	l := d.Licenses[0]
	from := l.NotBefore
	if d.renewsData() {
		if next := d.Old.Expiration.AddDays(1); !from.After(next) {
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

// renewsData reports whether the draft renews a license of the same instance.
func (d *Draft) renewsData() bool { return d.Kind == request.Renewal && d.Old != nil }

func (d *Draft) checkRenewal() {
	if !d.renewsData() {
		return
	}
	old, l := d.Old, d.Licenses[0]
	renewal := func(l customer.License) bool { return l.ID == old.Successor }
	if i := slices.IndexFunc(d.Instance.Licenses, renewal); i >= 0 {
		d.warn(RenewedBefore, "The license was already renewed, through %s.", d.Instance.Licenses[i].Expiration.Long())
	}
	if !old.Expiration.Before(d.today) && l.NotBefore.After(old.Expiration.AddDays(1)) {
		d.warn(Gap, "The old license ends on %s and this one begins on %s. In between, the server has no license.",
			old.Expiration.Long(), l.NotBefore.Long())
	}
}

// checkEvaluation counts evaluations by customer: of the account, of the customers who have the server, and of those
// that the request may be about.
func (d *Draft) checkEvaluation() {
	if d.Licenses[0].Type != license.Evaluation {
		return
	}
	replaced := func(id string) bool {
		return slices.ContainsFunc(d.Changes.Replaced, func(l customer.License) bool { return l.ID == id })
	}
	if d.Account != nil {
		for _, l := range d.Account.AllEvaluations() {
			if !replaced(l.ID) {
				d.warn(SecondEvaluation, "%s has had an evaluation before: on the server %s, through %s.",
					d.Account.Customer.Name, l.Server, l.Expiration.Long())
				return
			}
		}
	}
	for _, a := range d.known {
		if list := a.AllEvaluations(); len(list) > 0 {
			d.warn(SecondEvaluation, "%s, which may be the same customer, has had an evaluation before: on the "+
				"server %s, through %s.", a.Customer.Name, list[0].Server, list[0].Expiration.Long())
			return
		}
	}
}

// checkCustomer compares the customer with those that have the server, and with the name in the key.
func (d *Draft) checkCustomer() {
	for _, o := range d.others {
		d.warn(OtherCustomer, "The server %s is on record at another customer, %s (%s). Both stay on record, and both "+
			"are reminded.", o.instance.Server(), o.customer.Name, o.customer.Reference)
	}
	if d.Account == nil {
		return
	}
	c := d.Account.Customer
	named := append([]string{c.Name}, c.FormerNames...)
	for _, m := range d.Account.Merged {
		named = append(named, m.Name)
	}
	organization := d.Licenses[0].Organization
	if !slices.ContainsFunc(named, func(name string) bool { return customer.SameName(name, organization) }) {
		d.warn(OtherOrganization, "The key names %s. The customer is %s.", organization, c.Name)
	}
}

// checkRecipient asks about a recipient who is no contact of the customer. For a new customer, who becomes its first
// contact, it compares the domain with that of the request.
func (d *Draft) checkRecipient() {
	to := d.To.Email
	if d.Account == nil {
		if r := d.Request; r != nil && customer.DomainOf(r.Email) != customer.DomainOf(to) {
			d.warn(EmailDomain, "The key goes to %s. The request came from a different domain: %s.", to, r.Email)
		}
		return
	}
	if !d.isContact(to) {
		d.warn(NotAContact, "The key goes to %s, who is not a contact of %s.", to, d.Account.Customer.Name)
	}
}

// checkContract compares each license with the contract that it is under.
func (d *Draft) checkContract() {
	if d.Contract == nil {
		return
	}
	if renewed := d.contractInEffect(); renewed != nil && d.Contract.Renews == renewed.ID && !renewed.Ended.IsZero() {
		d.warn(ContractEnded, "%s", customer.Excess{
			Code: customer.EndedEarly, Contract: license.DateOf(renewed.Ended).Long(), Reason: renewed.EndedReason,
		}.Sentence())
	}
	account := d.accountAfter()
	said := map[string]bool{}
	for n, l := range d.Licenses {
		k := account.Contract(l.Contract)
		if k == nil {
			continue
		}
		with := slices.Concat(d.Licenses[:n], d.Licenses[n+1:])
		with = slices.DeleteFunc(with, func(other license.License) bool { return other.Contract != k.ID })
		for _, e := range account.Beyond(*k, l, with, d.today) {
			sentence := e.Sentence()
			if said[sentence] {
				continue
			}
			said[sentence] = true
			d.warn(codeOf(e.Code), "%s", sentence)
		}
	}
	if len(d.Changes.Retired) > 0 {
		servers := make([]string, len(d.Changes.Retired))
		for i, r := range d.Changes.Retired {
			servers[i] = string(r.Server())
		}
		d.warn(StagingRetired, "The contract no longer covers this staging, which will be retired: %s.",
			strings.Join(servers, ", "))
	}
}

// accountAfter returns the account as the contracts of the draft will be.
func (d *Draft) accountAfter() *customer.Account {
	after := &customer.Account{}
	if d.Account != nil {
		*after = *d.Account
		after.Contracts = slices.Clone(after.Contracts)
		after.Instances = slices.DeleteFunc(slices.Clone(after.Instances), func(i customer.Instance) bool {
			return containsInstance(d.Changes.Retired, i.ID)
		})
	}
	for _, k := range d.Changes.Contracts {
		if have := after.Contract(k.ID); have != nil {
			*have = k
		} else {
			after.Contracts = append(after.Contracts, k)
		}
	}
	return after
}

// codeOf is the warning about a way in which a license goes beyond its contract.
func codeOf(c customer.Code) Code {
	switch c {
	case customer.EndedEarly:
		return ContractEnded
	case customer.StagingBarred:
		return StagingNotIncluded
	}
	return BeyondContract + Code("-"+c)
}

// checkContents compares the license with the previous one and with the usual one for this kind of request.
func (d *Draft) checkContents() {
	l := d.Licenses[0]
	if l.Server.ReadsAsDate() {
		d.warn(DateServer, "The server ID %s reads as a date: version 6.7 and later discard it and make a new one, "+
			"so this key will not work there. Ask the customer for the ID that the upgraded server shows.", l.Server)
	}
	if p := d.Previous[0]; p != nil && p.Type != license.Evaluation && editionRank(l.Edition) < editionRank(p.Edition) {
		d.warn(SmallerEdition, "The previous license is for the %s. This one is for a smaller edition, the %s.",
			p.Edition.Name(), l.Edition.Name())
	}
	d.checkInstance()
	usual := d.defaultType()
	replaced := len(d.Changes.Replaced) > 0
	if asked := d.Request != nil && d.Kind != request.Renewal || replaced; asked && usual != l.Type {
		expected := "This request usually gets"
		if replaced {
			expected = "The replaced license is"
		}
		d.warn(OtherType, "%s %s license. This one is %s license.", expected, withArticle(usual), withArticle(l.Type))
	}
}

// checkInstance says what the server ID means for the instance that was chosen.
func (d *Draft) checkInstance() {
	l := d.Licenses[0]
	if l.Type == license.Staging && d.production == "" {
		d.warn(WithoutProduction, "No production server is selected that this staging server mirrors.")
	}
	if d.Account == nil {
		return
	}
	if l.Type == license.Staging {
		from := d.Account.Instance(d.production)
		if from != nil && from.Server() == l.Server {
			d.warn(ProductionID, "Staging has the server ID that production has: its database is a copy with the same "+
				"address. The key works on both servers.")
		}
	}
	if d.Instance != nil && (d.Match.How == customer.NoMatch || d.Match.Instance == d.Instance.ID) {
		return
	}
	switch d.Match.How {
	case customer.Undecided:
		d.warn(CopyOrMoved, "The data of the server %s is known: it is a copy, or a server of this customer has "+
			"moved. Ask the customer what happened to the old server if the request does not say.", l.Server)
	case customer.NoMatch, customer.Copied, customer.ProductionID:
	default:
		if d.Instance == nil {
			d.warn(CopyOrMoved, "The request is about a server on record. The license is for a new one.")
		}
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
		if d.Kind == request.Renewal && d.Instance != nil && !d.Instance.Had(l.Server) {
			d.warn(OtherServer, "The instance has the server ID %s. This license is for %s.", d.Instance.Server(),
				l.Server)
		}
		return
	}
	d.checkReplaced()
	if l.MaxLoc < r.Loc {
		d.warn(LocBelowServer, "The server has %s lines of code. The license allows %s.",
			license.Lines(r.Loc), license.Lines(l.MaxLoc))
	}
	if l.Edition != r.Edition {
		d.warn(OtherEdition, "The request is for the %s. The license is for the %s.",
			r.Edition.Name(), l.Edition.Name())
	}
	if r.AwaitsServer() && l.Server == r.Server {
		d.warn(PlannedServer, "The customer plans to change the server ID on %s, and has not told the new one yet. A "+
			"key for %s does not work after that.", r.Planned.Long(), l.Server)
	}
	if l.Server != r.Server {
		d.warn(OtherServer, "The request is for the server %s. The license is for %s.", r.Server, l.Server)
	}
}

// checkReplaced warns if what the request replaces, or mirrors, is nothing of the customer: the license that it means
// stays as it is. What is on record nowhere does not matter where the server or the operator tells the instance.
func (d *Draft) checkReplaced() {
	r := d.Request
	if !r.Kind.UsesReplaces() || r.Replaces == "" {
		return
	}
	var others []string
	for _, c := range d.Candidates {
		switch {
		case c.Named && d.Account != nil && d.Account.IsOf(c.Customer.ID):
			return
		case c.Named:
			others = append(others, fmt.Sprintf("%s (%s)", c.Customer.Name, c.Customer.Reference))
		}
	}
	says, told, left := "The request replaces %s, ", d.Instance != nil,
		"The earlier license stays valid, and we keep sending reminders for it."
	if r.Kind == request.Staging {
		says = "The request names %s as its production server, "
		told = told || d.production != "" && d.production == d.Match.From
		left = "This license is not tied to that server."
		if from := d.StagingFor(); from != "" {
			left = fmt.Sprintf("This license is for staging of %s instead.", from)
		}
	}
	switch typed := input.Quote(r.Replaces); {
	case len(others) > 0:
		d.warn(ReplacesNothing, says+"which is on record at another customer: %s. %s", typed,
			strings.Join(others, ", "), left)
	case !told:
		d.warn(ReplacesNothing, says+"but nothing on record has that ID or reference. %s", typed, left)
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
	d.warn(CommunityLicense, "The product has no button to enter a license for the Community Edition. %s", advice)
}
