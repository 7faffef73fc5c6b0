package licenseimport

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"marketplace/shared/customer"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/request"
)

// Entry is a license of the file, with what all lines about it say.
type Entry struct {
	Line        int             // the first one
	License     license.License // without the IDs of its customer, instance and contract
	Environment request.Environment
	Mirrors     license.Server    // the production that a staging server mirrors; "" if no line says
	Customer    string            // of the column customer; "" if no line says
	Contract    string            // of the column contract; "" if no line says
	Contacts    []license.Contact // in the order in which they are written to
	References  []customer.Outside

	ids       []string   // of the license, in each spelling of the organization
	companies []company  // who the lines say has it, each once
	mentions  []mention  // of contacts
	spellings []spelling // of the organization
	elsewhere []string   // for the customer's timeline: who else has the server
	refused   bool       // for what is on record
}

// company is how lines without the column customer tell customers apart: by name and domain.
type company struct {
	name   string // customer.NameKey
	domain string // a mail domain, or the whole address at a public mail provider
}

// mention is a contact in a line.
type mention struct {
	license.Contact
	rank int          // 0: of the column email
	of   license.Date // when the license expires
}

// spelling is an organization's name in a line.
type spelling struct {
	name  string
	email string       // of the contact beside it
	of    license.Date // when the license expires
}

// nameKey is an organization's name as lines are compared.
func nameKey(organization string) string {
	if key := customer.NameKey(organization); key != "" {
		return key
	}
	return folded(organization) // a name of signs alone
}

// folded is a name as it is compared, in whatever case and with whatever blanks it is written.
func folded(name string) string {
	return strings.ToLower(strings.Join(strings.Fields(norm.NFKC.String(name)), " "))
}

// idOf derives the license ID from the organization, server, edition, type and expiration, so that importing a file
// again records nothing twice. It has the form of all IDs: 26 lower-case letters and digits.
func idOf(l license.License) string {
	return derived("import", string(l.Server), string(l.Edition), string(l.Type), l.Expiration.String(),
		folded(l.Organization))
}

// derived makes an ID from what it is of.
func derived(of ...string) string {
	const crockford = "0123456789abcdefghjkmnpqrstvwxyz"
	sum := sha256.Sum256([]byte(strings.Join(of, "\n")))
	return base32.NewEncoding(crockford).WithPadding(base32.NoPadding).EncodeToString(sum[:])[:26]
}

// same tells whether lines are about one license of one organization.
type same struct {
	name       string
	server     license.Server
	edition    license.Edition
	kind       license.Type
	expiration license.Date
}

// join makes an entry of the lines about each license. Lines that contradict one another are refused, all of them:
// which one is right does not depend on their order.
func (f *File) join(lines []line) {
	of := map[same][]line{}
	var order []same
	for _, l := range lines {
		k := same{nameKey(l.license.Organization), l.license.Server, l.license.Edition, l.license.Type,
			l.license.Expiration}
		if of[k] == nil {
			order = append(order, k)
		}
		of[k] = append(of[k], l)
	}
	for _, k := range order {
		f.joinLicense(of[k])
	}
	slices.SortFunc(f.Refused, func(a, b Refusal) int { return a.Line - b.Line })
	slices.SortStableFunc(f.Notes, func(a, b Note) int { return a.Line - b.Line })
}

// joinLicense makes an entry of the lines about one license.
func (f *File) joinLicense(lines []line) {
	if f.refuseContradictions(lines) {
		return
	}
	var taken []line
	for _, l := range lines {
		if i := slices.IndexFunc(taken, l.repeats); i >= 0 {
			f.refuse(l.n, fmt.Sprintf("This line repeats line %d in every column.", taken[i].n))
			continue
		}
		if len(taken) > 0 {
			f.noteAddition(taken, l)
		}
		taken = append(taken, l)
	}
	f.Entries = append(f.Entries, entryOf(taken))
}

// noteAddition says what a further line of a license adds.
func (f *File) noteAddition(taken []line, l line) {
	first := taken[0]
	known := func(have line) bool { return input.SameMailbox(have.contact.Email, l.contact.Email) }
	if !slices.ContainsFunc(taken, known) {
		f.note(l.n, "email: this contact is added to the customer of the license in line %d.", first.n)
	}
	if l.license.Organization != first.license.Organization {
		f.note(l.n, "organization: line %d spells it %s. Both are the same license.", first.n,
			input.Quote(first.license.Organization))
	}
}

// refuseContradictions refuses lines about one license if any of them contradict each other.
func (f *File) refuseContradictions(lines []line) bool {
	found := false
	reasons := make([]string, len(lines))
	for i, l := range lines {
		for j, other := range lines {
			if list := l.differences(other); i != j && len(list) > 0 {
				found = true
				reasons[i] = fmt.Sprintf("This line contradicts line %d, which is the same license: %s.", other.n,
					strings.Join(list, ", "))
				break
			}
		}
	}
	for i, l := range lines {
		switch {
		case reasons[i] != "":
			f.refuse(l.n, reasons[i])
		case found:
			f.refuse(l.n, "Other lines about this license contradict each other.")
		}
	}
	return found
}

// differences are the columns in which two lines about one license contradict each other. A blank one contradicts none.
func (l line) differences(there line) (list []string) {
	add := func(column string, here, there any) {
		if here != there {
			list = append(list, fmt.Sprintf("%s is %v here and %v there", column, here, there))
		}
	}
	unlessBlank := func(column, here, there string) {
		if here != "" && there != "" {
			add(column, "“"+here+"”", "“"+there+"”")
		}
	}
	add("max_loc", l.license.MaxLoc, there.license.MaxLoc)
	add("support", yesNo(l.license.Support), yesNo(there.license.Support))
	if input.SameMailbox(l.contact.Email, there.contact.Email) {
		unlessBlank("contact", l.contact.Name, there.contact.Name)
	}
	unlessBlank("customer", l.customer, there.customer)
	unlessBlank("contract", l.contract, there.contract)
	add("environment", l.environment, there.environment)
	unlessBlank("mirrors", string(l.mirrors), string(there.mirrors))
	return list
}

// repeats reports whether two lines about one license are equal.
func (l line) repeats(other line) bool {
	return l.license.Organization == other.license.Organization && l.contact.Name == other.contact.Name &&
		input.SameMailbox(l.contact.Email, other.contact.Email) && slices.Equal(l.contacts, other.contacts) &&
		l.customer == other.customer && l.contract == other.contract && l.mirrors == other.mirrors &&
		l.reference == other.reference
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// entryOf is the license that lines are about, which do not contradict each other.
func entryOf(lines []line) (e Entry) {
	e.Line = lines[0].n
	first := slices.MinFunc(lines, func(a, b line) int { // whichever spelling comes first in the file
		return cmp.Or(cmp.Compare(a.license.ID, b.license.ID),
			cmp.Compare(a.license.Organization, b.license.Organization))
	})
	e.License, e.Environment = first.license, first.environment
	for _, l := range lines {
		e.Mirrors, e.Customer = cmp.Or(e.Mirrors, l.mirrors), cmp.Or(e.Customer, l.customer)
		e.Contract = cmp.Or(e.Contract, l.contract)
		e.ids = append(e.ids, l.license.ID)
		e.spellings = append(e.spellings, spelling{l.license.Organization, l.contact.Email, l.license.Expiration})
		for rank, contact := range append([]license.Contact{l.contact}, l.contacts...) {
			e.mentions = append(e.mentions, mention{contact, rank, l.license.Expiration})
		}
		if l.reference != (customer.Outside{}) {
			e.References = append(e.References, l.reference)
		}
	}
	e.ids = slices.Compact(slices.Sorted(slices.Values(e.ids)))
	e.Contacts = contactsOf(e.mentions)
	return e
}

// domainOf is the domain by which a customer is known, or the whole address at a public mail provider; public are those
// that the vendor configured.
func domainOf(email string, public []string) string {
	if domain := customer.DomainOf(email); customer.CheckDomain(domain, public...) == nil {
		return domain
	}
	return input.Mailbox(email)
}

// contactsOf lists everybody who is mentioned, each once: first who is in the column email, of the licenses that expire
// last. It does not depend on the order of the mentions.
func contactsOf(mentions []mention) (list []license.Contact) {
	sorted := slices.SortedFunc(slices.Values(mentions), func(a, b mention) int {
		return cmp.Or(a.rank-b.rank, b.of.Start().Compare(a.of.Start()),
			cmp.Compare(input.Mailbox(a.Email), input.Mailbox(b.Email)), cmp.Compare(b.Name, a.Name),
			cmp.Compare(a.Email, b.Email))
	})
	at := map[string]int{}
	for _, m := range sorted {
		i, known := at[input.Mailbox(m.Email)]
		switch {
		case !known:
			at[input.Mailbox(m.Email)] = len(list)
			list = append(list, m.Contact)
		case list[i].Name == "":
			list[i].Name = m.Name
		}
	}
	return list
}
