package site

import (
	"slices"
	"strings"

	"marketplace/functions/console/generator"
	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/web"
)

// reviewView is the data of the review page.
type reviewView struct {
	*generator.Draft
	About       aboutView
	Hidden      []hiddenField
	Confirmed   []generator.Code
	Changed     bool   // the draft differs from the reviewed one
	Unconfirmed bool   // not every warning was confirmed
	Failure     string // why issuing failed

	Barred string      // why the person may not issue it; "" if nothing bars it
	Filing *filingView // files the draft as a request; nil: nobody has to
	Word   string      // on whose word it may be issued; "" if it takes nothing from anybody
}

// sayWord says on whose word the draft may be issued, or why it may not be.
func (v *reviewView) sayWord(operator string, names colleagues) {
	v.Word = names.named(v.Draft.Word(operator).String())
	err := v.Draft.Barred(operator)
	if err == nil {
		v.Filing = nil
		return
	}
	v.Barred = names.named(web.ProblemOf(err).Detail)
	if v.Request == nil && v.Filing == nil {
		v.Filing = newFilingView(v.Draft)
	}
}

// Terms returns what a license allows.
func (v reviewView) Terms(l license.License) termsView {
	t := termsOf(l, vocabulary{catalog: v.Catalog})
	if t.Several = len(v.Licenses) > 1; !t.Several {
		t.StagingFor = v.StagingFor()
	}
	return t
}

// ReplacesNothing reports whether a replacement leaves the license as it is that the request means.
func (v reviewView) ReplacesNothing() bool {
	return v.Kind == request.Replacement && slices.ContainsFunc(v.Warnings, func(w generator.Warning) bool {
		return w.Code == generator.ReplacesNothing
	})
}

// Ticked reports whether a warning was confirmed.
func (v reviewView) Ticked(c generator.Code) bool { return slices.Contains(v.Confirmed, c) }

// First is the license of the form.
func (v reviewView) First() license.License { return v.Licenses[0] }

// reviewedLicense is a license of the review, with how it differs from the previous one of its instance.
type reviewedLicense struct {
	license.License
	Previous    *customer.License // nil: none
	Differences []generator.Difference
	Replaced    bool // Previous will be revoked
}

// Each returns the licenses with their differences.
func (v reviewView) Each() (list []reviewedLicense) {
	for n, l := range v.Licenses {
		r := reviewedLicense{License: l, Previous: v.Previous[n], Differences: v.Draft.Differences(n)}
		r.Replaced = r.Previous != nil && v.replaces(r.Previous.ID)
		list = append(list, r)
	}
	return list
}

func (v reviewView) replaces(id string) bool {
	return slices.ContainsFunc(v.Changes.Replaced, func(l customer.License) bool { return l.ID == id })
}

// Alike reports whether there are several licenses and all differ from their previous ones in the same way, so that one
// line says it for all. The first column of the table then names each server.
func (v reviewView) Alike() bool {
	each := v.Each()
	return len(each) > 1 && !slices.ContainsFunc(each, func(r reviewedLicense) bool {
		return r.Previous == nil || !slices.Equal(r.Differences, each[0].Differences) ||
			r.Replaced != each[0].Replaced
	})
}

// Keys says how many keys are issued: 1 key, 5 keys.
func (v reviewView) Keys() string {
	if len(v.Licenses) == 1 {
		return "1 key"
	}
	return web.Number(int64(len(v.Licenses))) + " keys"
}

// In sums a difference up: Edition: Developer Edition → Enterprise Edition (larger).
func inOneLine(d generator.Difference) string {
	line := d.Field + ": " + d.Before + " → " + d.After
	if d.Change != "" {
		line += " (" + d.Change + ")"
	}
	return line
}

// Summary is the differences in one line; "no differences" for none.
func (r reviewedLicense) Summary() string {
	if len(r.Differences) == 0 {
		return "no differences"
	}
	lines := make([]string, len(r.Differences))
	for i, d := range r.Differences {
		lines[i] = inOneLine(d)
	}
	return strings.Join(lines, "; ")
}

// contractChange is a contract that is made, renewed or changed.
type contractChange struct {
	Title       string // New contract K-7K3Q9F, Renewal of contract K-7K3Q9F, Change of contract K-7K3Q9F
	Line        string // its terms
	Differences []generator.Difference
}

// Contracts lists what happens to contracts.
func (v reviewView) Contracts() (list []contractChange) {
	for _, k := range v.Changes.Contracts {
		change := contractChange{
			Title: "New contract " + string(k.Reference), Differences: v.Draft.ContractDifferences(k),
		}
		if v.Account != nil {
			if renewed := v.Account.Contract(k.Renews); renewed != nil {
				change.Title = "Renewal of contract " + string(renewed.Reference)
			}
			if known := v.Account.Contract(k.ID); known != nil {
				change.Title = "Change of contract " + string(known.Reference)
			}
		}
		change.Line = contractLine(k)
		list = append(list, change)
	}
	return list
}

// contractLine is what a contract will be, in a line.
func contractLine(k customer.Contract) string {
	terms := shortEdition(k.Edition) + ", " + license.Lines(k.MaxLoc) + " lines"
	if k.Support {
		terms += ", support"
	}
	return terms + ", " + k.First.Long() + " through " + k.Last.Long() + ", " +
		web.Number(int64(k.Production)) + " production, " + web.Number(int64(k.Staging)) + " staging"
}

// Under is the existing contract that the licenses are under, unchanged; "" for none.
func (v reviewView) Under() string {
	if v.Contract == nil || len(v.Changes.Contracts) > 0 {
		return ""
	}
	return string(v.Contract.Reference)
}

// instanceChange is an instance that is new, or that gets another server ID.
type instanceChange struct{ Title, Text string }

// InstanceChanges lists the instances that are new or get another server ID.
func (v reviewView) InstanceChanges() (list []instanceChange) {
	for _, i := range v.Changes.Instances {
		name := environmentName(i.Environment)
		known := (*customer.Instance)(nil)
		if v.Account != nil {
			known = v.Account.Instance(i.ID)
		}
		switch {
		case known == nil:
			list = append(list, instanceChange{"New instance", name + " " + string(i.Server())})
		case known.Server() != i.Server():
			list = append(list, instanceChange{
				name + " server ID", string(known.Server()) + " → " + string(i.Server()),
			})
		case !known.InUse():
			list = append(list, instanceChange{"In use again", name + " " + string(i.Server())})
		}
	}
	return list
}

// NewContacts lists who becomes a contact.
func (v reviewView) NewContacts() string {
	var list []string
	for _, c := range v.Changes.Contacts {
		list = append(list, strings.TrimPrefix(c.Name+", "+c.Email, ", "))
	}
	return strings.Join(list, "; ")
}

// Servers lists the servers of licenses.
func servers(list []customer.License) string {
	var out []string
	for _, l := range list {
		out = append(out, string(l.Server))
	}
	return strings.Join(out, ", ")
}

// Muted lists the servers whose evaluations are no longer reminded.
func (v reviewView) Muted() string { return servers(v.Changes.Muted) }

// Revoked lists the servers whose licenses are revoked.
func (v reviewView) Revoked() string { return servers(v.Changes.Replaced) }

// Retired lists the servers of the instances that are retired.
func (v reviewView) Retired() string {
	var out []string
	for _, i := range v.Changes.Retired {
		out = append(out, string(i.Server()))
	}
	return strings.Join(out, ", ")
}
