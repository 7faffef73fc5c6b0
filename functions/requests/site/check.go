package site

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"marketplace/catalog"
	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/lazyregexp"
	"marketplace/shared/license"
	"marketplace/shared/request"
)

// checkForm is what is asked of a key, as it was typed. Only Key is needed; what is blank is not checked.
type checkForm struct {
	Key     string
	Server  string
	Loc     string
	Version string
	Edition string
	Plugins string // keys or names of jars, apart by white space, commas or semicolons
}

// checkQuery is a checkForm that was accepted.
type checkQuery struct {
	Key     string
	At      license.Instance
	Version string   // of the product, as request.ParseVersion gives it; "" where it was not said
	Ignored []string // plugins that are not checked: free ones, and those that the catalog does not know
}

// accept reads the form at the time now. What it refuses is an Invalid fault with all fields that are wrong.
func (f checkForm) accept(c *catalog.Catalog, now time.Time) (checkQuery, error) {
	var bad fault.Fields
	q := checkQuery{Key: f.Key, At: license.Instance{Now: now}}
	var err error
	if strings.TrimSpace(f.Key) == "" {
		empty := license.Evaluate("", license.Instance{}, nil).Reasons[0]
		bad.Add("key", "%s %s", empty.Sentence, empty.Remedy)
	}
	if strings.TrimSpace(f.Server) != "" {
		q.At.Server, err = license.ParseServer(f.Server)
		bad.Refuse("serverId", err)
	}
	if strings.TrimSpace(f.Loc) != "" {
		q.At.Loc, err = request.ParseTypedLoc(f.Loc)
		bad.Refuse("ncloc", err)
	}
	if strings.TrimSpace(f.Version) != "" {
		q.Version, err = request.ParseVersion(f.Version)
		bad.Refuse("productVersion", err)
	}
	if strings.TrimSpace(f.Edition) != "" {
		if q.At.Edition = parseEdition(f.Edition); !q.At.Edition.Valid() {
			bad.Add("edition", "Choose community, developer, enterprise or datacenter.")
		}
	}
	q.At.Plugins, q.Ignored = licensedPlugins(f.Plugins, c)
	return q, bad.Err("We could not check the key.")
}

// jarVersion is where the version of a jar begins in its name: sonar-cfamily-plugin-5.1.0.10083.jar.
var jarVersion = lazyregexp.New(`-\d[^/\\]*\.jar$`)

// licensedPlugins parts a list of installed plugins into the keys of those that an edition brings, each once, and the others
// as they were typed. A plugin is named by its key or by its jar.
func licensedPlugins(typed string, c *catalog.Catalog) (keys, others []string) {
	known := make(map[string]string)
	for _, jar := range c.Jars() {
		known[strings.ToLower(jarVersion().ReplaceAllString(jar.File, ""))] = jar.Plugin
	}
	for _, e := range c.Editions {
		for _, key := range e.Plugins {
			known[strings.ToLower(key)] = key
		}
	}
	for _, name := range input.Fields(typed) {
		key, ok := known[strings.ToLower(jarVersion().ReplaceAllString(name, ""))]
		switch {
		case ok && !slices.Contains(keys, key):
			keys = append(keys, key)
		case !ok && !slices.Contains(others, name):
			others = append(others, name)
		}
	}
	return keys, others
}

// checkResult is what is found of a key. It is what the API answers with, and what the page shows.
type checkResult struct {
	Valid     bool               `json:"valid"`     // nothing speaks against the key
	Authentic bool               `json:"authentic"` // it is ours, unaltered
	Key       *checkedKey        `json:"key"`       // null where it could not be read; not to be believed where it is not authentic
	Reasons   []advice           `json:"reasons"`   // why it is not valid, all that apply
	Warnings  []advice           `json:"warnings"`
	Notices   []notice           `json:"notices"` // what our records say, where the key is authentic; whether it is valid does not depend on them
	Undone    []license.Mangling `json:"undone"`  // what a mail had done to the key
	// Text is the key with that undone, as it has to be set; left out where nothing was, and where the key is not authentic.
	Text      string   `json:"text,omitempty"`
	Ignored   []string `json:"ignoredPlugins"` // plugins that were not checked: they need no license, or are not known
	Unchecked []string `json:"-"`              // what was not checked because it was not said
}

// advice is a reason or a warning, with the page that helps to mend it.
type advice struct {
	license.Reason
	RequestURL string `json:"requestUrl,omitempty"` // the form of a request, filled in for the server; absolute
	InstallURL string `json:"installUrl,omitempty"` // how to install the package of the key's edition; absolute
	Path       string `json:"-"`                    // whichever there is, within the site
	Action     string `json:"-"`                    // what the link is called
}

// checkedKey is what a key says.
type checkedKey struct {
	ID             string          `json:"id"`
	Type           license.Type    `json:"type"`
	Organization   string          `json:"organization"`
	Server         license.Server  `json:"serverId"`
	Edition        license.Edition `json:"edition"`
	EditionName    string          `json:"editionName"`
	Package        *checkedPackage `json:"package,omitempty"` // left out where the version is not known, or has none
	Plugins        []string        `json:"plugins"`
	Languages      []checkedPart   `json:"languages"` // those of the edition, and those that the key adds
	Features       []checkedPart   `json:"features"`  // likewise
	MaxLoc         int64           `json:"maxLoc"`
	MaxLocText     string          `json:"maxLocText"` // 5'000'000
	Support        bool            `json:"support"`
	NotBefore      license.Date    `json:"notBefore,omitzero"`
	Expiration     license.Date    `json:"expiration"`
	ExpirationText string          `json:"expirationText"` // 05 Mar 2018
	ValidThrough   time.Time       `json:"validThrough"`   // the last second, UTC
	Issued         license.Date    `json:"issued"`
	Kid            string          `json:"kid"`
}

// checkedPackage is the edition's package for the version of the server.
type checkedPackage struct {
	Version string `json:"version"`
	File    string `json:"file"`
	URL     string `json:"url"`
}

// checkedPart is a language or a feature.
type checkedPart struct {
	Key  string `json:"key"`
	Name string `json:"name"`
}

// check judges a key. Neither it nor its callers keep the key or tell the log of it.
func (s *site) check(ctx context.Context, f checkForm) (checkResult, error) {
	c, err := s.catalog()
	if err != nil {
		return checkResult{}, err
	}
	q, err := f.accept(c, s.now())
	if err != nil {
		return checkResult{}, err
	}
	keys, err := s.keys()
	if err != nil {
		return checkResult{}, fmt.Errorf("site: license keys: %w", err)
	}
	if len(keys) == 0 {
		return checkResult{}, fault.New(fault.Unavailable, "We cannot check keys at the moment. Write to us instead.")
	}
	text, undone := license.Unmangle(q.Key)
	v := license.Evaluate(text, q.At, keys)
	found := checkResult{
		Valid: v.Valid(), Authentic: v.Authentic(), Unchecked: f.unchecked(),
		Undone: append([]license.Mangling{}, undone...), Ignored: append([]string{}, q.Ignored...),
		Reasons: s.advise(v.Reasons, v.Key, q.At, c), Warnings: s.advise(v.Warnings, v.Key, q.At, c), Notices: []notice{},
	}
	if v.Key != nil {
		found.Key = newCheckedKey(*v.Key, c, q.Version)
	}
	if found.Authentic {
		found.Notices = s.notices(ctx, *v.Key)
		if len(undone) > 0 {
			found.Text = text
		}
	}
	return found, nil
}

// unchecked names what is not checked.
func (f checkForm) unchecked() (list []string) {
	for _, said := range []struct{ value, what string }{
		{f.Server, "the server ID"},
		{f.Loc, "the lines of code"},
		{f.Edition, "the installed edition"},
		{f.Plugins, "the installed plugins"},
	} {
		if strings.TrimSpace(said.value) == "" {
			list = append(list, said.what)
		}
	}
	return list
}

func (s *site) advise(reasons []license.Reason, k *license.Key, at license.Instance, c *catalog.Catalog) []advice {
	list := make([]advice, len(reasons))
	for i, r := range reasons {
		list[i] = advice{Reason: r}
		switch {
		case r.Request != "":
			list[i].Path = requestPath(r, k, at, c)
			list[i].RequestURL = s.mail.URL + list[i].Path
			list[i].Action = requestAction(request.Kind(r.Request))
		case r.Code == license.WrongEdition: // the server has the package of no edition
			list[i].Path = "/editions/" + string(k.Edition) + "#install"
			list[i].InstallURL = s.mail.URL + list[i].Path
			list[i].Action = "How to install the package"
		}
	}
	return list
}

func requestAction(k request.Kind) string {
	switch k {
	case request.Renewal:
		return "Request a renewal"
	case request.Upgrade:
		return "Request an upgrade"
	case request.Replacement:
		return "Request a replacement"
	}
	return "Request a license"
}

// requestPath is the request form that mends a reason, filled in with what is known of the server and of the key.
func requestPath(r license.Reason, k *license.Key, at license.Instance, c *catalog.Catalog) string {
	f := request.Form{Kind: r.Request, Server: string(at.Server), Edition: string(at.Edition)}
	loc := at.Loc
	if k != nil {
		if f.Server == "" {
			f.Server = string(k.Server)
		}
		if loc == 0 {
			loc = k.MaxLoc
		}
		switch r.Code {
		case license.WrongEdition: // the one that runs
		case license.PluginNotCovered:
			f.Edition = string(coveringEdition(c, *k, at.Plugins))
		default:
			f.Edition = string(k.Edition)
		}
		if request.Kind(r.Request).NeedsReplaces() {
			f.Replaces = k.ID
		}
	}
	if loc > 0 {
		f.Loc = fmt.Sprint(loc)
	}
	return formPath(f)
}

// coveringEdition is the smallest edition, from the key's own on, that brings the plugins which the key does not cover; the key's own
// where none brings them all.
func coveringEdition(c *catalog.Catalog, k license.Key, plugins []string) license.Edition {
	for _, edition := range license.Editions[slices.Index(license.Editions, k.Edition):] {
		brings, _ := c.Edition(string(edition))
		if !slices.ContainsFunc(plugins, func(p string) bool { return !slices.Contains(k.Plugins, p) && !slices.Contains(brings.Plugins, p) }) {
			return edition
		}
	}
	return k.Edition
}

// newCheckedKey tells what a key says, with the names that the catalog has.
func newCheckedKey(k license.Key, c *catalog.Catalog, version string) *checkedKey {
	edition, _ := c.Edition(string(k.Edition))
	d := &checkedKey{
		ID: k.ID, Type: k.Type, Organization: k.Organization, Server: k.Server, Edition: k.Edition, EditionName: k.Edition.Name(),
		Plugins: k.Plugins, Languages: []checkedPart{}, Features: []checkedPart{},
		MaxLoc: k.MaxLoc, MaxLocText: license.Lines(k.MaxLoc), Support: k.Support,
		NotBefore: k.NotBefore, Expiration: k.Expiration, ExpirationText: k.Expiration.Long(), ValidThrough: k.Expiration.End().Add(-time.Second),
		Issued: k.Issued, Kid: k.Kid,
	}
	if p, ok := c.Package(edition.Key, version); ok && p.Withdrawn == "" {
		d.Package = &checkedPackage{Version: p.Version, File: p.File, URL: p.URL}
	}
	for _, key := range union(edition.Languages, k.Languages) {
		l, _ := c.Language(key)
		d.Languages = append(d.Languages, checkedPart{key, cmp.Or(l.Name, key)})
	}
	for _, key := range union(edition.Features, k.Features) {
		f, _ := c.Feature(key)
		d.Features = append(d.Features, checkedPart{key, cmp.Or(f.Name, key)})
	}
	return d
}

// union is both lists, each item once, in their order.
func union(a, b []string) (all []string) {
	for _, item := range slices.Concat(a, b) {
		if !slices.Contains(all, item) {
			all = append(all, item)
		}
	}
	return all
}
