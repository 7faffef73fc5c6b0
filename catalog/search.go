package catalog

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"marketplace/shared/license"
)

// Kinds of what a search finds.
const (
	LanguageHit = "language"
	FeatureHit  = "feature"
	PluginHit   = "plugin"
	EditionHit  = "edition"
)

// Hit is a language, a feature, a plugin or an edition that a search found.
type Hit struct {
	Kind        string
	Key         string
	Name        string
	Description string
	Plugin      Plugin    // the plugin with it; of a plugin the plugin itself; zero if that is not known
	Editions    []Edition // those that have it, from the smallest to the largest
	Everywhere  bool      // every edition has it
}

// Commercial reports whether it comes only with an edition that needs a license.
func (h Hit) Commercial() bool {
	return len(h.Editions) > 0 && !slices.ContainsFunc(h.Editions, func(e Edition) bool { return len(e.Plugins) == 0 })
}

// Sentence says which editions have it. Of an edition it is the edition's description.
func (h Hit) Sentence() string {
	switch {
	case h.Kind == EditionHit:
		return h.Description
	case h.Everywhere:
		return "Included in every edition."
	case len(h.Editions) == 0:
		return "No edition has it at present."
	}
	if !h.Commercial() {
		return "Included in " + h.names("and") + "."
	}
	return "Available only with " + h.names("or") + "; it cannot be installed separately."
}

// names lists the editions for a sentence.
func (h Hit) names(last string) (list string) {
	for i, e := range h.Editions {
		switch {
		case i > 0 && i == len(h.Editions)-1:
			list += " " + last + " "
		case i > 0:
			list += ", "
		}
		list += "the " + e.Name
	}
	return list
}

// Ladder returns the editions from the smallest to the largest.
func (c *Catalog) Ladder() (list []Edition) {
	for _, key := range license.Editions {
		if e, ok := c.Edition(string(key)); ok {
			list = append(list, e)
		}
	}
	return list
}

// maxQuery is how much of what somebody typed is searched for, in bytes.
const maxQuery = 100

// Search finds languages, features, plugins and editions by their names, in any spelling and by the beginnings of their
// words: "cobol", "PL SQL", "branch". Descriptions count only where no name matches. A language stands for its plugin,
// and a feature for the plugin of its name. The best come first.
func (c *Catalog) Search(typed string) []Hit {
	q := newQuery(typed)
	if q.whole == "" {
		return nil
	}
	var ranked []rankedHit
	for _, item := range c.items() {
		if rank := q.rank(item); rank < noMatch {
			ranked = append(ranked, rankedHit{item.Hit, rank})
		}
	}
	slices.SortStableFunc(ranked, func(a, b rankedHit) int { return cmp.Compare(a.rank, b.rank) })
	var hits []Hit
	for _, r := range ranked {
		if r.rank >= inDescription && ranked[0].rank < inDescription {
			break
		}
		if r.Kind != PluginHit || !stands(hits, r.Hit) {
			hits = append(hits, r.Hit)
		}
	}
	return hits
}

// stands reports whether a hit stands for a plugin, too: a language that it brings, or the feature of its name.
func stands(hits []Hit, plugin Hit) bool {
	for i := range hits {
		h := &hits[i]
		if h.Kind == FeatureHit && strings.EqualFold(h.Name, plugin.Name) {
			h.Plugin = plugin.Plugin
		}
		if h.Plugin.Key == plugin.Key {
			return true
		}
	}
	return false
}

// Suggest returns the name that is meant by what somebody typed and Search does not find: "cobal" is COBOL. It returns
// "" if no name is near.
func (c *Catalog) Suggest(typed string) string {
	q := newQuery(typed)
	if len(q.whole) < 3 {
		return ""
	}
	limit := 1 + len(q.whole)/6
	best, name := limit+1, ""
	for _, item := range c.items() {
		for _, word := range append(words(item.Name), joined(words(item.Name))) {
			if d := distance(q.whole, word); d < best && len(word) > 2 {
				best, name = d, item.Name
			}
		}
	}
	return name
}

// item is what can be found.
type item struct {
	Hit
	related []string // further names that it is known by
}

type rankedHit struct {
	Hit
	rank int
}

func (c *Catalog) items() (list []item) {
	ladder := c.Ladder()
	add := func(h Hit, has func(Edition) bool, related ...string) {
		for _, e := range ladder {
			if has(e) {
				h.Editions = append(h.Editions, e)
			}
		}
		h.Everywhere = len(h.Editions) == len(ladder)
		list = append(list, item{h, related})
	}
	for _, l := range c.Languages {
		p, _ := find(c.Plugins, func(p Plugin) bool { return p.Key == l.Plugin })
		add(Hit{Kind: LanguageHit, Key: l.Key, Name: l.Name, Plugin: p},
			func(e Edition) bool { return slices.Contains(e.Languages, l.Key) },
			slices.Concat(l.Words, []string{p.Name, p.Key})...)
	}
	for _, f := range c.Features {
		add(Hit{Kind: FeatureHit, Key: f.Key, Name: f.Name, Description: f.Description},
			func(e Edition) bool { return slices.Contains(e.Features, f.Key) }, f.Words...)
	}
	for _, p := range c.Plugins {
		add(Hit{Kind: PluginHit, Key: p.Key, Name: cmp.Or(p.Name, p.Key), Description: p.Description, Plugin: p},
			func(e Edition) bool { return slices.Contains(e.Plugins, p.Key) })
	}
	for _, e := range ladder {
		add(Hit{Kind: EditionHit, Key: e.Key, Name: e.Name, Description: e.TextDescription},
			func(other Edition) bool { return other.Key == e.Key })
	}
	return list
}

// How well an item matches, the best first.
const (
	isName = iota
	beginsName
	inName
	inRelated
	inDescription
	noMatch
)

// query is what somebody typed: its words without those that say nothing, and these together.
type query struct {
	words []string
	whole string
}

// fillers are words of a question, such as "which edition brings COBOL?".
var fillers = []string{"a", "an", "analysis", "are", "brings", "contains", "do", "does", "edition", "editions", "for",
	"has", "have", "i", "in", "includes", "is", "language", "languages", "need", "of", "plugin", "plugins", "support",
	"supports", "the", "what", "which", "with"}

func newQuery(typed string) query {
	if len(typed) > maxQuery {
		typed = strings.ToValidUTF8(typed[:maxQuery], "")
	}
	all := words(typed)
	q := query{words: slices.DeleteFunc(slices.Clone(all), func(w string) bool { return slices.Contains(fillers, w) })}
	if len(q.words) == 0 {
		q.words = all
	}
	q.whole = joined(q.words)
	return q
}

// words returns the words of a text in lower case: letters, digits, and the signs of C++ and C#.
func words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '+' && r != '#'
	})
}

func joined(words []string) string { return strings.Join(words, "") }

func (q query) rank(i item) int {
	name := words(i.Name)
	switch whole := joined(name); {
	case whole == q.whole:
		return isName
	case strings.HasPrefix(whole, q.whole) || strings.EqualFold(i.Key, q.whole):
		return beginsName
	case len(q.whole) == 1: // one letter is in too many words
		return noMatch
	case q.in(name):
		return inName
	}
	for _, other := range i.related {
		if q.in(words(other)) {
			return inRelated
		}
	}
	// A name that begins otherwise may still end like that: SonarCOBOL.
	if len(q.whole) > 3 && (strings.Contains(joined(name), q.whole) || strings.HasPrefix(i.Key, q.whole)) {
		return inRelated
	}
	described := words(i.Description)
	if i.Kind == LanguageHit {
		described = words(i.Plugin.Description)
	}
	if q.in(described) {
		return inDescription
	}
	return noMatch
}

// in reports whether the query is in a text: its words are the beginnings of words there, or together the beginning of
// adjacent ones.
func (q query) in(text []string) bool {
	for i := range text {
		if strings.HasPrefix(joined(text[i:]), q.whole) {
			return true
		}
	}
	for _, word := range q.words {
		if !slices.ContainsFunc(text, func(t string) bool { return strings.HasPrefix(t, singular(word)) }) {
			return false
		}
	}
	return true
}

// singular returns a word without the ending of a plural.
func singular(word string) string {
	switch {
	case len(word) > 6 && strings.HasSuffix(word, "hes"):
		return word[:len(word)-2]
	case len(word) > 4:
		return strings.TrimSuffix(word, "s")
	}
	return word
}
