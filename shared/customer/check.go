package customer

import (
	"slices"
	"unicode/utf8"

	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
)

// Limits of typed fields, in characters.
const (
	MaxName   = 200 // of a customer or a partner
	MaxPerson = 100 // of a contact
	MaxReason = 200
	maxID     = 100 // of an outside reference, and of its system
)

// Limits of a contract.
const (
	maxInstances = 10_000 // of each environment
	maxLanguages = 100
)

// Check returns the customer as it is recorded: its name, domains, outside references, notes and contacts trimmed and
// normalised, empty ones left out. What it refuses is an Invalid fault with a sentence for each wrong field, which is
// named as in JSON.
func (c Customer) Check() (Customer, error) {
	var bad fault.Fields
	c.Name = line(&bad, "name", "organization", "The name", c.Name, MaxName)
	if c.Name == "" {
		bad.Add("name", "Enter the customer's name.")
	}
	c.FormerNames = eachLine(&bad, "formerNames", "organization", "The former name", c.FormerNames, MaxName)
	few(&bad, "formerNames", "former names", len(c.FormerNames), MaxFormerNames)
	c.Domains = checkDomains(&bad, c.Domains)
	if c.Owner != "" {
		owner, err := input.Email(c.Owner)
		bad.Refuse("owner", err)
		c.Owner = owner
	}
	var outside []Outside
	for _, o := range c.Outside {
		o.System = line(&bad, "outside", "name", "The system", o.System, maxID)
		o.ID = line(&bad, "outside", "search", "The reference", o.ID, maxID)
		switch {
		case o == Outside{}, slices.Contains(outside, o):
		case o.System == "" || o.ID == "":
			bad.Add("outside", "Enter both the system and its reference, for example CRM and 12345.")
		default:
			outside = append(outside, o)
		}
	}
	c.Outside = outside
	few(&bad, "outside", "references", len(c.Outside), MaxOutside)
	notes, err := input.Block("message", "The note", c.Notes, MaxNotes)
	bad.Refuse("notes", err)
	c.Notes = notes
	c.Contacts = checkContacts(&bad, c.Contacts)
	return c, bad.Err("The customer was not saved. Correct the fields and try again.")
}

func checkDomains(bad *fault.Fields, typed []string) (domains []string) {
	for _, d := range typed {
		if input.OneLine(d, maxID) == "" {
			continue
		}
		domain, err := ParseDomain(d)
		bad.Refuse("domains", err)
		if !slices.Contains(domains, domain) {
			domains = append(domains, domain)
		}
	}
	few(bad, "domains", "domains", len(domains), MaxDomains)
	return domains
}

// checkContacts checks each contact; an error of one is the error of the field "contacts" and says whose it is.
func checkContacts(bad *fault.Fields, typed []Contact) (contacts []Contact) {
	for _, t := range typed {
		contact, err := t.Check()
		if invalid, ok := err.(*fault.Error); ok && len(invalid.Fields) > 0 {
			bad.Add("contacts", "%s: %s", input.Quote(t.Email), invalid.Fields[0].Msg)
		}
		same := func(have Contact) bool { return input.SameMailbox(have.Email, contact.Email) }
		if err == nil && slices.ContainsFunc(contacts, same) {
			bad.Add("contacts", "%s is a contact already.", input.Quote(contact.Email))
		}
		contacts = append(contacts, contact)
	}
	few(bad, "contacts", "contacts", len(contacts), MaxContacts)
	return contacts
}

// Check returns the contact as it is recorded: trimmed and normalised. What it refuses is an Invalid fault with a
// sentence for each wrong field, which is named as in JSON.
func (c Contact) Check() (Contact, error) {
	var bad fault.Fields
	email, err := input.Email(c.Email)
	bad.Refuse("email", err)
	if err == nil {
		c.Email = email
	}
	c.Name = line(&bad, "name", "name", "The name", c.Name, MaxPerson)
	c.Partner = line(&bad, "partner", "company", "The partner", c.Partner, MaxName)
	var purposes []Purpose
	for _, p := range c.For {
		switch {
		case p != Keys && p != Renewals:
			bad.Add("for", "Select what the contact is written to for: license keys, renewals or both.")
		case !slices.Contains(purposes, p):
			purposes = append(purposes, p)
		}
	}
	if c.For = purposes; len(purposes) == 2 { // both is all
		c.For = nil
	}
	c.Instances = slices.DeleteFunc(slices.Clone(c.Instances), func(id string) bool { return id == "" })
	if len(c.Instances) == 0 {
		c.Instances = nil
	}
	return c, bad.Err("The contact was not saved. Correct the fields and try again.")
}

// Check returns the contract as it is recorded. What it refuses is an Invalid fault with a sentence for each wrong
// field, which is named as in JSON.
func (c Contract) Check() (Contract, error) {
	var bad fault.Fields
	switch {
	case c.Edition == license.Community:
		bad.Add("edition", "The Community Edition needs no license. Choose another edition.")
	case !c.Edition.Valid():
		bad.Add("edition", "Choose an edition.")
	}
	if c.MaxLoc < 1 {
		bad.Add("maxLoc", "Enter the lines of code for each instance, at least 1.")
	}
	c.Languages = slices.Compact(slices.Sorted(slices.Values(c.Languages)))
	few(&bad, "languages", "additional languages", len(c.Languages), maxLanguages)
	for _, key := range c.Languages {
		if !license.ValidID(key) {
			bad.Add("languages", "%s is not the key of a language.", input.Quote(key))
		}
	}
	count(&bad, "production", "production", c.Production)
	count(&bad, "staging", "staging", c.Staging)
	switch {
	case c.Staging > 0 && !c.StagingAllowed():
		bad.Add("staging", "Staging needs the Enterprise Edition, the Data Center Edition or support. Enter 0.")
	case c.Production == 0 && c.Staging == 0:
		bad.Add("production", "Enter how many production instances the contract covers.")
	}
	if c.First.IsZero() {
		bad.Add("first", "Enter the first day.")
	}
	switch {
	case c.Last.IsZero():
		bad.Add("last", "Enter the last day.")
	case c.Last.Before(c.First):
		bad.Add("last", "The last day is before the first day, %s.", c.First.Long())
	}
	if c.Renews != "" && c.Renews == c.ID {
		bad.Add("renews", "A contract cannot renew itself.")
	}
	c.EndedReason = line(&bad, "endedReason", "message", "The reason", c.EndedReason, MaxReason)
	return c, bad.Err("The contract was not saved. Correct the fields and try again.")
}

// line reads a line with the policy of a field of shared/input.
func line(bad *fault.Fields, field, policy, what, typed string, limit int) string {
	read, err := input.Line(policy, what, typed, limit)
	bad.Refuse(field, err)
	return read
}

// eachLine reads lines; empty and equal ones are left out.
func eachLine(bad *fault.Fields, field, policy, what string, typed []string, limit int) (lines []string) {
	for _, t := range typed {
		if l := line(bad, field, policy, what, t, limit); l != "" && !slices.Contains(lines, l) {
			lines = append(lines, l)
		}
	}
	return lines
}

func few(bad *fault.Fields, field, what string, n, limit int) {
	if n > limit {
		bad.Add(field, "There are %d %s. Keep at most %d.", n, what, limit)
	}
}

func count(bad *fault.Fields, field, what string, n int) {
	if n < 0 || n > maxInstances {
		bad.Add(field, "Enter the number of %s instances, from 0 to %s.", what, license.Lines(maxInstances))
	}
}

// AddFormerName keeps a name that the customer no longer has: the newest last, the oldest dropped beyond
// MaxFormerNames.
func (c *Customer) AddFormerName(name string) {
	if name == "" || name == c.Name || !utf8.ValidString(name) {
		return
	}
	kept := slices.DeleteFunc(slices.Clone(c.FormerNames), func(have string) bool { return have == name })
	kept = append(kept, name)
	c.FormerNames = kept[max(0, len(kept)-MaxFormerNames):]
}
