package generator

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"marketplace/catalog"
	"marketplace/shared/customer"
	"marketplace/shared/license"
)

// review adds to the draft what the operator checks before issuing it: warnings, the email, and the digest of it all.
func (d *Draft) review() {
	d.addWarnings()
	d.seal()
}

// StagingFor returns the production server that the first license's instance mirrors; "" for none, or if that is not
// known.
func (d *Draft) StagingFor() license.Server {
	if d.Account == nil || len(d.Licenses) == 0 || d.Licenses[0].Type != license.Staging {
		return ""
	}
	if from := d.Account.Instance(d.production); from != nil {
		return from.Server()
	}
	return ""
}

// Difference is a field in which a license differs from the previous one.
type Difference struct {
	Field         string // as people read it
	Before, After string // "none" for nothing
	Change        string // what that means, such as "larger"; "" if the values say it
}

// Differences returns how the n-th license differs from the previous one of its instance, field by field.
func (d *Draft) Differences(n int) []Difference {
	if d.Previous[n] == nil {
		return nil
	}
	return differences(d.Catalog, *d.Previous[n], d.Licenses[n])
}

func differences(c *catalog.Catalog, old customer.License, now license.License) (list []Difference) {
	add := func(field, before, after, change string) {
		if before != after {
			list = append(list, Difference{field, cmp.Or(before, "none"), cmp.Or(after, "none"), change})
		}
	}
	add("Type", old.Type.Name(), now.Type.Name(), "")
	server := "different server"
	if old.Server.Dataset() == now.Server.Dataset() {
		server = "same data, new ID"
	}
	add("Server ID", string(old.Server), string(now.Server), server)
	edition := "smaller"
	if editionRank(now.Edition) > editionRank(old.Edition) {
		edition = "larger"
	}
	add("Edition", old.Edition.Name(), now.Edition.Name(), edition)
	add("Lines of code", license.Lines(old.MaxLoc), license.Lines(now.MaxLoc), moreOrFewer(now.MaxLoc-old.MaxLoc))
	add("Additional languages", LanguageNames(c, old.Languages), LanguageNames(c, now.Languages), "")
	add("Support", included(old.Support), included(now.Support), "")
	if !old.NotBefore.IsZero() {
		add("Valid from", longDate(old.NotBefore), longDate(now.NotBefore),
			days(old.NotBefore.DaysUntil(now.NotBefore)))
	}
	add("Valid through", longDate(old.Expiration), longDate(now.Expiration),
		days(old.Expiration.DaysUntil(now.Expiration)))
	return list
}

// ContractDifferences returns how a contract of Changes differs from what is on record: from itself, or from the one
// that it renews; none for a new one.
func (d *Draft) ContractDifferences(k customer.Contract) (list []Difference) {
	if d.Account == nil {
		return nil
	}
	old := d.Account.Contract(k.ID)
	if old == nil {
		old = d.Account.Contract(k.Renews)
	}
	if old == nil {
		return nil
	}
	add := func(field, before, after, change string) {
		if before != after {
			list = append(list, Difference{field, cmp.Or(before, "none"), cmp.Or(after, "none"), change})
		}
	}
	edition := "smaller"
	if editionRank(k.Edition) > editionRank(old.Edition) {
		edition = "larger"
	}
	add("Edition", old.Edition.Name(), k.Edition.Name(), edition)
	add("Lines of code", license.Lines(old.MaxLoc), license.Lines(k.MaxLoc), moreOrFewer(k.MaxLoc-old.MaxLoc))
	add("Additional languages", LanguageNames(d.Catalog, old.Languages), LanguageNames(d.Catalog, k.Languages), "")
	add("Support", included(old.Support), included(k.Support), "")
	add("Production instances", strconv.Itoa(old.Production), strconv.Itoa(k.Production), "")
	add("Staging instances", strconv.Itoa(old.Staging), strconv.Itoa(k.Staging), "")
	add("First day", longDate(old.First), longDate(k.First), "")
	add("Last day", longDate(old.Last), longDate(k.Last), days(old.Last.DaysUntil(k.Last)))
	return list
}

// editionRank returns the place of an edition among the others, from the smallest.
func editionRank(e license.Edition) int { return slices.Index(license.Editions, e) }

func moreOrFewer(n int64) string {
	if n < 0 {
		return license.Lines(-n) + " fewer"
	}
	return license.Lines(n) + " more"
}

func days(n int) string {
	unit, direction := "days", "later"
	if n < 0 {
		n, direction = -n, "earlier"
	}
	if n == 1 {
		unit = "day"
	}
	return fmt.Sprintf("%d %s %s", n, unit, direction)
}

func longDate(d license.Date) string {
	if d.IsZero() {
		return ""
	}
	return d.Long()
}

func included(support bool) string {
	if support {
		return "included"
	}
	return "not included"
}

// LanguageNames returns the names of languages in one line.
func LanguageNames(c *catalog.Catalog, keys []string) string {
	names := make([]string, len(keys))
	for i, key := range keys {
		l, _ := c.Language(key)
		names[i] = cmp.Or(l.Name, key)
	}
	return strings.Join(names, ", ")
}
