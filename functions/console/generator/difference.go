package generator

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"marketplace/catalog"
	"marketplace/shared/license"
)

// Difference is a field in which a license is not as the one before.
type Difference struct {
	Field         string // as people are told it
	Before, After string // "none" where there is nothing
	Words         string // what it means
}

// differences tell how a license differs from the one before, field by field.
func differences(c *catalog.Catalog, old, now license.License) (list []Difference) {
	add := func(field, before, after, words string) {
		if before != after {
			list = append(list, Difference{field, cmp.Or(before, "none"), cmp.Or(after, "none"), words})
		}
	}
	add("Type", old.Type.Name(), now.Type.Name(), "")
	add("Organization", old.Organization, now.Organization, "")
	server := "another server"
	if old.Server.Dataset() == now.Server.Dataset() {
		server = "the same data under another ID"
	}
	add("Server ID", string(old.Server), string(now.Server), server)
	edition := "smaller"
	if size(now.Edition) > size(old.Edition) {
		edition = "larger"
	}
	add("Edition", old.Edition.Name(), now.Edition.Name(), edition)
	add("Lines of code", license.Lines(old.MaxLoc), license.Lines(now.MaxLoc), moreOrLess(now.MaxLoc-old.MaxLoc))
	add("Languages beyond the edition", LanguageNames(c, old.Languages), LanguageNames(c, now.Languages), "")
	if len(old.Plugins) > 0 { // those of an imported license are not on record
		add("Plugins", strings.Join(sorted(old.Plugins), ", "), strings.Join(sorted(now.Plugins), ", "), addedAndGone(old.Plugins, now.Plugins))
	}
	add("Support", included(old.Support), included(now.Support), "")
	if !old.NotBefore.IsZero() {
		add("Valid from", long(old.NotBefore), long(now.NotBefore), days(old.NotBefore.DaysUntil(now.NotBefore)))
	}
	add("Valid through", long(old.Expiration), long(now.Expiration), days(old.Expiration.DaysUntil(now.Expiration)))
	add("Contacts", contactList(old.Contacts), contactList(now.Contacts), "")
	return list
}

// size is the place of an edition among the others, the smallest first.
func size(e license.Edition) int { return slices.Index(license.Editions, e) }

func moreOrLess(n int64) string {
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

func addedAndGone(before, after []string) string {
	missing := func(from, in []string) []string {
		return slices.DeleteFunc(sorted(from), func(s string) bool { return slices.Contains(in, s) })
	}
	var words []string
	if added := missing(after, before); len(added) > 0 {
		words = append(words, "added: "+strings.Join(added, ", "))
	}
	if gone := missing(before, after); len(gone) > 0 {
		words = append(words, "gone: "+strings.Join(gone, ", "))
	}
	return strings.Join(words, "; ")
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

func long(d license.Date) string {
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

// LanguageNames are the names of languages as people read them, in one line.
func LanguageNames(c *catalog.Catalog, keys []string) string {
	names := make([]string, len(keys))
	for i, key := range keys {
		l, _ := c.Language(key)
		names[i] = cmp.Or(l.Name, key)
	}
	return strings.Join(names, ", ")
}

func contactList(list []license.Contact) string {
	texts := make([]string, len(list))
	for i, c := range list {
		texts[i] = c.Email
		if c.Name != "" {
			texts[i] = c.Name + " <" + c.Email + ">"
		}
	}
	return strings.Join(texts, ", ")
}
