package customer

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/request"
)

const (
	samOperator   = "sam@vendor.example"
	luciaOperator = "lucia@vendor.example"
)

// vouch is the word of Lucía for a request of Bob about the first server.
func vouch(a *Account, change ...func(*request.Vouch)) func(*request.Request) {
	return func(r *request.Request) {
		r.Vouch = &request.Vouch{By: luciaOperator, At: noon, Customer: "acme", Licenses: licensesOf(a, "p"),
			Server: first, Email: "bob@acme.example"}
		for _, c := range change {
			c(r.Vouch)
		}
	}
}

func TestPermissionOfACharge(t *testing.T) {
	a := acme()
	revoked := Charge{Revoked: licensesOf(a, "p"), Contract: true, Instances: []string{"p"}, Server: first,
		To: "ana@acme.example"}
	with := func(change func(*Charge)) Charge {
		c := revoked
		c.Revoked, c.Instances = slices.Clone(c.Revoked), slices.Clone(c.Instances)
		change(&c)
		return c
	}
	key := with(func(c *Charge) { c.Revoked = nil })
	to := func(email string) Charge { return with(func(c *Charge) { c.To = email }) }
	keyTo := func(email string, instances ...string) Charge {
		return with(func(c *Charge) { c.Revoked, c.To, c.Instances = nil, email, instances })
	}
	revoking := func(instances ...string) Charge {
		return with(func(c *Charge) { c.Revoked = licensesOf(a, instances...) })
	}
	moved := with(func(c *Charge) { c.Revoked, c.Moved = nil, true })
	elsewhere := with(func(c *Charge) { c.Server = second })
	evaluation := with(func(c *Charge) { c.Revoked, c.Contract, c.To = nil, false, "eve@evil.example" })
	ofSmall := with(func(c *Charge) {
		c.Revoked, c.Instances, c.To = licensesOf(a, "m"), []string{"m"}, "sue@small.example"
	})
	nowhere := with(func(c *Charge) { c.Revoked = append(c.Revoked, "x") })
	another := with(func(c *Charge) { c.Instances = append(c.Instances, "") })
	forOther := vouch(a, func(v *request.Vouch) { v.Customer = "other" })
	forSmall := vouch(a, func(v *request.Vouch) { v.Customer = "small" })
	bySam := vouch(a, func(v *request.Vouch) { v.By = samOperator })
	bySamAgain := vouch(a, func(v *request.Vouch) { v.By = "Sam@Vendor.example" })
	byNobody := vouch(a, func(v *request.Vouch) { v.By = "" })
	rita := "rita@reseller.example"
	bob, eve, ana := "bob@acme.example", "eve@evil.example", "ana@acme.example"
	yes := answered(ana, true)
	for name, test := range map[string]struct {
		request request.Request
		charge  Charge
		want    Permission
	}{
		"key to a contact":                    {from(eve), key, Free},
		"key to nobody":                       {from(eve), keyTo("", "p"), Free},
		"key to a contact, no request":        {request.Request{}, key, Free},
		"key of an evaluation to a stranger":  {from(eve), evaluation, Free},
		"key to a stranger":                   {from(eve), keyTo(eve, "p"), NeedsVouch},
		"key to a stranger, no request":       {request.Request{}, keyTo(eve, "p"), NeedsRequest},
		"key to a new contact":                {from("new@acme.example"), keyTo("new@acme.example", "p"), NeedsVouch},
		"key to a new contact, vouched for":   {from(eve), keyTo("vic@acme.example", "p"), Free},
		"key to a partner for its instance":   {from(eve), keyTo(rita, "p"), Free},
		"key to a partner for another one":    {from(eve), keyTo(rita, "p", "s"), NeedsVouch},
		"key to a partner for a new instance": {from(eve), keyTo(rita, ""), NeedsVouch},
		"key to a merged contact, own":        {from(eve), keyTo("sue@small.example", "m"), Free},
		"key to a merged contact, others'":    {from(eve), keyTo("sue@small.example", "p"), NeedsVouch},
		"key to a survivor's contact, merged": {from(eve), keyTo(ana, "m"), Free},

		"revoked, no request":          {request.Request{}, revoked, NeedsRequest},
		"revoked, a contact asks":      {from(ana), revoked, ByContact},
		"revoked, address only typed":  {from(ana, unconfirmed), revoked, NeedsVouch},
		"revoked, a colleague asks":    {from(bob), revoked, NeedsVouch},
		"revoked, a stranger asks":     {from(eve), revoked, NeedsVouch},
		"revoked, a contact says yes":  {from(eve, yes), to(eve), ByContact},
		"revoked, a contact says no":   {from(bob, answered(ana, false)), revoked, NeedsVouch},
		"revoked, a link alone":        {from(ana, unconfirmed, through(ana, "p")), revoked, NeedsVouch},
		"revoked, key to nobody":       {from(ana), to(""), ByContact},
		"revoked, a merged one":        {from("sue@small.example"), ofSmall, ByContact},
		"revoked, not a merged one":    {from("sue@small.example"), revoked, NeedsVouch},
		"moved, a stranger asks":       {from(eve), moved, NeedsVouch},
		"moved, a contact asks":        {from(ana), moved, ByContact},
		"asked for another server":     {from(ana), elsewhere, NeedsVouch},
		"asked for, key elsewhere":     {from(ana), to(eve), NeedsVouch},
		"asked for, another contact":   {from(ana), to("vic@acme.example"), ByContact},
		"asked for, a new contact":     {from(ana), to("new@acme.example"), NeedsVouch},
		"a partner asks for its own":   {from(rita), revoked, ByContact},
		"a partner asks for more":      {from(rita), revoking("p", "s"), NeedsVouch},
		"a partner says yes to more":   {from(bob, answered(rita, true)), revoking("p", "s"), NeedsVouch},
		"a license that is nowhere":    {from(rita), nowhere, NeedsVouch},
		"a partner asks for a new one": {from(rita), another, NeedsVouch},

		"vouched for":                             {from(bob, vouch(a)), revoked, ByVouch},
		"vouched for, key to the asker":           {from(bob, vouch(a)), to(bob), ByVouch},
		"vouched for, no revocation":              {from(bob, vouch(a)), keyTo(bob, "p"), ByVouch},
		"vouched for, key elsewhere":              {from(bob, vouch(a)), to(eve), NeedsVouch},
		"vouched for, corrected address":          {from(eve, vouch(a)), to(eve), NeedsVouch},
		"vouched for, another server":             {from(bob, vouch(a)), elsewhere, NeedsVouch},
		"vouched for, another license":            {from(bob, vouch(a)), revoking("s"), NeedsVouch},
		"vouched for, one license more":           {from(bob, vouch(a)), revoking("p", "s"), NeedsVouch},
		"vouched for another customer":            {from(bob, forOther), revoked, NeedsVouch},
		"vouched for a merged one":                {from(bob, forSmall), revoked, ByVouch},
		"own vouch":                               {from(bob, bySam), revoked, NeedsOther},
		"own vouch, other spelling":               {from(bob, bySamAgain), revoked, NeedsOther},
		"nobody's vouch":                          {from(bob, byNobody), revoked, NeedsVouch},
		"own vouch that a contact makes unneeded": {from(ana, bySam), revoked, ByContact},
		"vouched for although a contact said no":  {from(bob, answered(ana, false), vouch(a)), revoked, ByVouch},
	} {
		t.Run(name, func(t *testing.T) {
			got := a.Permit(Asker{Request: test.request, Instance: "p"}, test.charge, samOperator, noon)
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if granted := got == Free || got == ByContact || got == ByVouch; got.Granted() != granted {
				t.Errorf("got granted %v, want %v", got.Granted(), granted)
			}
		})
	}
}

func TestWhoHasNothingOnRecordIsNotCharged(t *testing.T) {
	charge := Charge{Contract: true, Instances: []string{""}, Server: first, To: "eve@evil.example"}
	for name, test := range map[string]struct {
		change func(*Account)
		want   Permission
	}{
		"nothing":          {func(*Account) {}, Free},
		"a contact":        {func(a *Account) { a.Customer.Contacts = acme().Customer.Contacts }, NeedsVouch},
		"a merged contact": {func(a *Account) { a.Merged = acme().Merged }, NeedsVouch},
		"a contract":       {func(a *Account) { a.Contracts = acme().Contracts }, NeedsVouch},
		"an instance":      {func(a *Account) { a.Instances = acme().Instances }, NeedsVouch},
	} {
		a := &Account{Customer: Customer{ID: "acme"}}
		test.change(a)
		if got := a.Permit(Asker{Request: from("eve@evil.example")}, charge, samOperator, noon); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}

// people of the random tests: contacts and others, some in two spellings.
var people = []string{
	"ana@acme.example", "ANA@acme.example", "new@acme.example", "bob@acme.example", "rita@reseller.example",
	"sue@small.example", "eve@evil.example",
}

// drawAccount draws an account with two customers, one of which was merged into the other, and three instances.
func drawAccount(t *rapid.T) *Account {
	a := acme()
	for n := range a.Customers() {
		var list []Contact
		for range rapid.IntRange(0, 3).Draw(t, "contacts") {
			c := Contact{
				Email: rapid.SampledFrom(people[:6]).Draw(t, "contact"),
				Since: daysAgo(rapid.SampledFrom([]int{0, 6, 7, 30}).Draw(t, "since")),
			}
			if rapid.IntRange(0, 3).Draw(t, "vouched") == 0 {
				c.VouchedBy = luciaOperator
			}
			if rapid.IntRange(0, 2).Draw(t, "named") == 0 {
				c.Instances = rapid.SliceOfN(rapid.SampledFrom([]string{"p", "s", "m"}), 1, 2).Draw(t, "instances")
			}
			list = append(list, c)
		}
		if n == 0 {
			a.Customer.Contacts = list
		} else {
			a.Merged[0].Contacts = list
		}
	}
	return a
}

func drawRequest(t *rapid.T, a *Account) request.Request {
	person := rapid.SampledFrom(people)
	linked := rapid.SampledFrom([]string{"acme", "small", "other", ""})
	r := request.Request{ID: "r", Customer: linked.Draw(t, "linked to")}
	r.Email, r.Server = person.Draw(t, "asks"), rapid.SampledFrom([]license.Server{first, second}).Draw(t, "for")
	r.Kind = rapid.SampledFrom([]request.Kind{request.Renewal, request.Replacement}).Draw(t, "kind")
	if rapid.Bool().Draw(t, "confirmed") {
		r.Confirmed = noon
	}
	if rapid.IntRange(0, 3).Draw(t, "link") == 0 {
		r.Link = &request.Link{Contact: person.Draw(t, "link of"),
			License: rapid.SampledFrom(append(licensesOf(a, "p", "s", "m"), "x")).Draw(t, "link about")}
	}
	for range rapid.SampledFrom([]int{0, 0, 1, 1, 2}).Draw(t, "answers") {
		answered(person.Draw(t, "answered"), rapid.IntRange(0, 3).Draw(t, "yes") > 0)(&r)
	}
	if rapid.IntRange(0, 2).Draw(t, "vouch") == 0 {
		r.Vouch = &request.Vouch{
			By:       rapid.SampledFrom([]string{samOperator, luciaOperator, "SAM@vendor.example"}).Draw(t, "by"),
			Customer: rapid.SampledFrom([]string{"acme", "acme", "small", "other"}).Draw(t, "vouched for"),
			Licenses: rapid.SliceOf(rapid.SampledFrom(licensesOf(a, "p", "s", "m"))).Draw(t, "licenses"),
			Server:   rapid.SampledFrom([]license.Server{first, first, second}).Draw(t, "vouched server"),
			Email:    person.Draw(t, "vouched address"),
		}
	}
	return r
}

func drawCharge(t *rapid.T, a *Account) Charge {
	c := Charge{
		Moved: rapid.IntRange(0, 3).Draw(t, "moved") == 0, Contract: rapid.IntRange(0, 3).Draw(t, "contract") > 0,
		Instances: rapid.SliceOfN(rapid.SampledFrom([]string{"p", "s", "m", ""}), 0, 2).Draw(t, "keys for"),
		Server:    rapid.SampledFrom([]license.Server{first, first, second}).Draw(t, "server"),
		To:        rapid.SampledFrom(append([]string{""}, people...)).Draw(t, "to"),
	}
	if rapid.Bool().Draw(t, "revokes") {
		known := rapid.SampledFrom(append(licensesOf(a, "p", "s", "m"), "x"))
		c.Revoked = rapid.SliceOfN(known, 0, 2).Draw(t, "revoked")
	}
	return c
}

// law is the rule of who may ask for what (decision 19) over an account, written down once more: by quantifiers instead
// of lists, and with nothing of standing.go and permission.go.
type law struct {
	a   *Account
	r   request.Request
	now time.Time
}

// speaks: the person is a contact on record, for 7 days or vouched for, of the customer who has the instance or of the
// one that it was merged into, for all instances or for this one.
func (w law) speaks(person, instance string) bool {
	owner := "acme"
	for _, i := range w.a.Instances {
		if i.ID == instance {
			owner = i.Customer
		}
	}
	for _, of := range append([]Customer{w.a.Customer}, w.a.Merged...) {
		for _, c := range of.Contacts {
			rightful := of.ID == w.a.Customer.ID || of.ID == owner
			old := w.now.Sub(c.Since) >= 7*24*time.Hour
			meant := len(c.Instances) == 0
			for _, i := range c.Instances {
				meant = meant || i == instance
			}
			if input.Mailbox(c.Email) == input.Mailbox(person) && rightful && meant && (old || c.VouchedBy != "") {
				return true
			}
		}
	}
	return false
}

// said: how many contacts who speak for the instance, and are not the asker, gave the answer.
func (w law) said(yes bool, instance string) (n int) {
	for _, answer := range w.r.Answers {
		asker := input.Mailbox(answer.By) == input.Mailbox(w.r.Email)
		if answer.Yes == yes && !asker && w.speaks(answer.By, instance) {
			n++
		}
	}
	return n
}

// proven: a contact of record said yes; or a link that was mailed to a contact, and that mailbox was confirmed.
func (w law) proven(instance string) bool {
	linkedHere := w.r.Customer == "acme" || w.r.Customer == "small"
	if linkedHere && w.said(true, instance) > 0 && w.said(false, instance) == 0 {
		return true
	}
	return w.r.Link != nil && !w.r.Confirmed.IsZero() && w.speaks(w.r.Link.Contact, instance) &&
		input.Mailbox(w.r.Link.Contact) == input.Mailbox(w.r.Email)
}

// contact: the mailbox was confirmed, and is that of a contact in effect.
func (w law) contact(instance string) bool {
	return !w.r.Confirmed.IsZero() && w.speaks(w.r.Email, instance)
}

// onRecord: the person is a contact, from whenever and for whatever.
func (w law) onRecord(person string) bool {
	for _, c := range append(slices.Clone(w.a.Customer.Contacts), w.a.Merged[0].Contacts...) {
		if input.Mailbox(c.Email) == input.Mailbox(person) {
			return true
		}
	}
	return false
}

// colleague: the mailbox was confirmed, at a domain of the customer alone, or of a contact who speaks for nothing yet.
func (w law) colleague(shared bool) bool {
	domain := DomainOf(w.r.Email)
	own := (domain == "acme.example" || domain == "small.example") && !shared
	return !w.r.Confirmed.IsZero() && (own || w.onRecord(w.r.Email))
}

// linked: a mailed link alone, to a contact, good for renewing that instance.
func (w law) linked() bool {
	if w.r.Link == nil || !w.onRecord(w.r.Link.Contact) || w.r.Kind != request.Renewal || len(w.r.Contacts) > 0 ||
		input.Mailbox(w.r.Link.Contact) != input.Mailbox(w.r.Email) {
		return false
	}
	for _, i := range w.a.Instances {
		for _, l := range i.Licenses {
			if l.ID == w.r.Link.License {
				return w.r.Server == i.Server()
			}
		}
	}
	return false
}

func (w law) standing(instance string, shared bool) Standing {
	switch {
	case w.proven(instance):
		return Proven
	case w.contact(instance):
		return KnownContact
	case w.colleague(shared):
		return Colleague
	case w.linked():
		return Linked
	}
	return Stranger
}

// touched: each instance that gets a key or loses one.
func (w law) touched(c Charge) map[string]bool {
	all := map[string]bool{}
	for _, i := range c.Instances {
		all[i] = true
	}
	for _, id := range c.Revoked {
		owner := ""
		for _, i := range w.a.Instances {
			for _, l := range i.Licenses {
				if l.ID == id {
					owner = i.ID
				}
			}
		}
		all[owner] = true
	}
	if len(all) == 0 {
		all[""] = true
	}
	return all
}

// reaches: the key goes to nobody, to an address that the word names, or to who speaks for all that it touches.
func (w law) reaches(c Charge, named string) bool {
	if c.To == "" || input.Mailbox(c.To) == input.Mailbox(named) {
		return true
	}
	for i := range w.touched(c) {
		if !w.speaks(c.To, i) {
			return false
		}
	}
	return true
}

func (w law) permission(c Charge, operator string) Permission {
	elsewhere := c.Contract && !w.reaches(c, "nobody@example.invalid")
	if len(c.Revoked) == 0 && !c.Moved && !elsewhere {
		return Free
	}
	if w.r.ID == "" {
		return NeedsRequest
	}
	theirs := c.Server == w.r.Server && w.reaches(c, w.r.Email)
	for i := range w.touched(c) {
		theirs = theirs && (w.proven(i) || w.contact(i))
	}
	if theirs {
		return ByContact
	}
	v := w.r.Vouch
	if v == nil || v.Customer == "other" || v.Server != c.Server || !w.reaches(c, v.Email) {
		return NeedsVouch
	}
	for _, id := range c.Revoked {
		if !slices.Contains(v.Licenses, id) {
			return NeedsVouch
		}
	}
	if input.Mailbox(v.By) == input.Mailbox(operator) {
		return NeedsOther
	}
	return ByVouch
}

func TestStandingAndPermissionFollowTheLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawAccount(t)
		r := drawRequest(t, a)
		if rapid.IntRange(0, 9).Draw(t, "no request") == 0 {
			r = request.Request{}
		}
		w := law{a, r, noon}
		who := Asker{
			Request: r, Instance: rapid.SampledFrom([]string{"p", "s", "m", ""}).Draw(t, "about"),
			DomainShared: rapid.Bool().Draw(t, "shared domain"),
		}
		if got, want := a.Standing(who, noon), w.standing(who.Instance, who.DomainShared); got != want {
			t.Fatalf("got standing %s, want %s", got, want)
		}
		c := drawCharge(t, a)
		if got, want := a.Permit(who, c, samOperator, noon), w.permission(c, samOperator); got != want {
			t.Fatalf("got permission %s, want %s", got, want)
		}
		// Whoever nobody on record speaks for takes nothing on the word of one colleague.
		alone := !w.contact("p") && !w.contact("s") && !w.contact("m") && !w.contact("") && len(r.Answers) == 0 &&
			(r.Vouch == nil || input.SameMailbox(r.Vouch.By, samOperator))
		if alone && a.Charges(c, noon) && a.Permit(who, c, samOperator, noon).Granted() {
			t.Fatal("got a charge that one colleague may do for a stranger")
		}
	})
}
