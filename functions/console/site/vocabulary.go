package site

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"golang.org/x/sync/errgroup"

	"marketplace/catalog"
	"marketplace/shared/fault"
	"marketplace/shared/lazyregexp"
	"marketplace/shared/license"
	"marketplace/shared/logging"
	"marketplace/shared/store"
)

// vocabulary is how a page names what records only have a key of.
type vocabulary struct {
	colleagues colleagues
	catalog    *catalog.Catalog // nil: keys stay keys
	mentions   map[store.Subject]mention
}

// mention names a request, a license or a customer, or says another value in words.
type mention struct {
	Text string
	To   string // the address of its page; "" for none
}

// maxMentions is how many requests and licenses a page looks up to name them; beyond that they are only linked.
const maxMentions = 50

// vocabulary reads what the events and the page itself name. All reads are made at once.
func (s *site) vocabulary(r *http.Request, events []store.Event, named ...store.Subject) (vocabulary, error) {
	v := vocabulary{colleagues: colleaguesOf(r), catalog: s.catalogNames(r.Context())}
	for _, e := range slices.Backward(events) {
		named = append(named, subjectsOf(e)...)
	}
	var err error
	v.mentions, err = s.mentions(r.Context(), named)
	return v, err
}

// catalogNames returns the catalog; nil, so that keys stay keys, if there is none at the moment.
func (s *site) catalogNames(ctx context.Context) *catalog.Catalog {
	c, err := s.catalog()
	if err != nil {
		s.log.WarnContext(ctx, "catalog not read for names", logging.Error(err))
		return nil
	}
	return c
}

func (s *site) mentions(ctx context.Context, named []store.Subject) (map[store.Subject]mention, error) {
	found := map[store.Subject]mention{}
	var once []store.Subject
	for _, of := range named {
		if _, known := found[of]; known || of == (store.Subject{}) {
			continue
		}
		found[of] = linkTo(of)
		if len(once) < maxMentions {
			once = append(once, of)
		}
	}
	names := make([]mention, len(once))
	g, ctx := errgroup.WithContext(ctx)
	for i, of := range once {
		g.Go(func() (err error) { names[i], err = s.mention(ctx, of); return err })
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for i, of := range once {
		found[of] = names[i]
	}
	return found, nil
}

// linkTo mentions something without reading it.
func linkTo(of store.Subject) mention {
	switch {
	case of.License != "":
		return mention{"a license", "/console/licenses/" + of.License}
	case of.Customer != "":
		return mention{Text: "a customer"}
	}
	return mention{"a request", "/console/requests/" + of.Request}
}

// mention names a request or a license by type, server and company, and a customer by its name.
func (s *site) mention(ctx context.Context, of store.Subject) (mention, error) {
	m := linkTo(of)
	if of.Customer != "" {
		known, err := s.store.CustomersByID(ctx, of.Customer)
		if c, ok := known[of.Customer]; ok {
			m = mention{c.Name, customerPath(c.Reference)}
		}
		return m, err
	}
	if of.License != "" {
		recorded, err := s.store.License(ctx, of.License)
		if fault.KindOf(err) == fault.NotFound {
			return mention{Text: "a license that is not on record"}, nil
		}
		l := recorded.License
		m.Text = l.Type.Name() + " license for " + shortServer(l.Server) + ", " + l.Organization
		return m, err
	}
	asked, err := s.store.Request(ctx, of.Request)
	if fault.KindOf(err) == fault.NotFound {
		return mention{Text: "a request that is not on record"}, nil
	}
	m.Text = shortKind(asked.Kind) + " request for " + shortServer(asked.Server) + ", " + asked.Company
	return m, err
}

// shortServer returns a server ID by its ends, as people recognize it: AWHW…9GQX.
func shortServer(s license.Server) string {
	const end = 4
	if len(s) <= 3*end {
		return string(s)
	}
	return string(s[:end] + "…" + s[len(s)-end:])
}

// of returns how to mention a request, a license or a customer; "" for none.
func (v vocabulary) of(named store.Subject) mention {
	if m, ok := v.mentions[named]; ok || named == (store.Subject{}) {
		return m
	}
	return linkTo(named)
}

// ids finds our own IDs in a text.
var ids = lazyregexp.New(`(?:[Ll]icense )?\b([0-9a-hjkmnp-tv-z]{26})\b`)

// withoutIDs replaces the IDs of licenses in a sentence of ours by their names.
func (v vocabulary) withoutIDs(text string) string {
	return ids().ReplaceAllStringFunc(text, func(found string) string {
		return v.of(store.Subject{License: found[len(found)-26:]}).Text
	})
}

func licensesIn(text string) (named []store.Subject) {
	for _, m := range ids().FindAllStringSubmatch(text, -1) {
		named = append(named, store.Subject{License: m[1]})
	}
	return named
}

// plugin, language and feature return the name of a key; the key where the catalog has no name.
func (v vocabulary) plugin(key string) string {
	return v.catalogName(key, func(c *catalog.Catalog) string {
		i := slices.IndexFunc(c.Plugins, func(p catalog.Plugin) bool { return p.Key == key })
		if i < 0 {
			return ""
		}
		return c.Plugins[i].Name
	})
}

func (v vocabulary) language(key string) string {
	return v.catalogName(key, func(c *catalog.Catalog) string { l, _ := c.Language(key); return l.Name })
}

func (v vocabulary) feature(key string) string {
	return v.catalogName(key, func(c *catalog.Catalog) string { f, _ := c.Feature(key); return f.Name })
}

func (v vocabulary) catalogName(key string, find func(*catalog.Catalog) string) string {
	if v.catalog == nil {
		return key
	}
	return cmp.Or(find(v.catalog), key)
}

// namesOf names each of the keys.
func namesOf(keys []string, name func(string) string) (names []string) {
	for _, key := range keys {
		names = append(names, name(key))
	}
	return names
}

// packageFile is the file of a custom package: its edition, the product's version, and a secret.
var packageFile = lazyregexp.New(`^(\w+)-edition-([0-9.]+)-\w+\.zip$`)

// packageName names a custom package without the secret in its file name.
func packageName(file string) string {
	m := packageFile().FindStringSubmatch(file)
	if m == nil {
		return file
	}
	return license.Edition(m[1]).Name() + ", version " + m[2]
}
