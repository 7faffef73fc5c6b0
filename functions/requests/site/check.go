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

// checkForm is the key check as it was typed. Only Key is required; blank fields are not checked.
type checkForm struct {
	Key     string
	Server  string
	Loc     string
	Version string
	Edition string
	Plugins string // keys or jar names, separated by white space, commas or semicolons
}

// checkQuery is a checkForm that was accepted.
type checkQuery struct {
	Key     string
	At      license.Instance
	Version string   // of the product, from request.ParseVersion; "" if left empty
	Ignored []string // plugins that are not checked: free or unknown to the catalog
}

// accept reads the form at the time now. Its errors are Invalid faults that name every wrong field.
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
		if q.At.Edition = license.ParseEdition(f.Edition); !q.At.Edition.Valid() {
			bad.Add("edition", "Choose community, developer, enterprise or datacenter.")
		}
	}
	if names := input.Fields(f.Plugins); len(names) > maxPlugins {
		bad.Add("plugins", "List at most %d plugins.", maxPlugins)
	} else {
		q.At.Plugins, q.Ignored = licensedPlugins(names, c)
	}
	q.At.Names = make(map[string]string, len(c.Plugins))
	for _, p := range c.Plugins {
		q.At.Names[p.Key] = p.Name
	}
	return q, bad.Err("We could not check the key.")
}

// maxPlugins is how many plugins a list may name. Servers have some dozens.
const maxPlugins = 300

// jarVersion matches the version in a jar's file name: sonar-cfamily-plugin-5.1.0.10083.jar.
var jarVersion = lazyregexp.New(`-\d[^/\\]*\.jar$`)

// licensedPlugins splits the installed plugins, given by key or by jar, into the keys of those that an edition
// contains and the rest as typed.
func licensedPlugins(typed []string, c *catalog.Catalog) (keys, others []string) {
	known := make(map[string]string)
	for _, jar := range c.Jars() {
		known[strings.ToLower(jarVersion().ReplaceAllString(jar.File, ""))] = jar.Plugin
	}
	for _, e := range c.Editions {
		for _, key := range e.Plugins {
			known[strings.ToLower(key)] = key
		}
	}
	seen := make(map[string]bool)
	for _, name := range typed {
		key, ok := known[strings.ToLower(jarVersion().ReplaceAllString(name, ""))]
		switch {
		case ok && !seen["key "+key]:
			seen["key "+key] = true
			keys = append(keys, key)
		case !ok && !seen["name "+name]:
			seen["name "+name] = true
			others = append(others, name)
		}
	}
	return keys, others
}

// checkResult is the outcome of a key check: the response of the API, and what the page shows.
type checkResult struct {
	Valid     bool `json:"valid"`     // there is no reason against the key
	Authentic bool `json:"authentic"` // we issued it, and it is unaltered
	// Compared says that a server ID was given, so that the key was compared with the server.
	Compared bool   `json:"compared"`
	Summary  string `json:"summary"` // the outcome, for a person
	Next     step   `json:"next"`    // what to do now
	// null if the key is unreadable; not to be trusted unless it is authentic
	Key      *checkedKey `json:"key"`
	Reasons  []advice    `json:"reasons"` // why it is not valid: all that apply
	Warnings []advice    `json:"warnings"`
	// from our records, for authentic keys only; Valid does not depend on them
	Notices []notice           `json:"notices"`
	Undone  []license.Mangling `json:"undone"` // what an email program did to the key
	// Text is the cleaned-up key, as it has to be installed; left out if nothing was undone or the key is not
	// authentic.
	Text      string   `json:"text,omitempty"`
	Ignored   []string `json:"ignoredPlugins"` // plugins that were not checked: free or unknown
	Unchecked []string `json:"-"`              // what was not checked because it was left empty
}

// step is what to do after a check, for a person.
type step struct {
	Sentence string `json:"sentence"`
	URL      string `json:"url,omitempty"` // absolute URL of a page that helps
	Path     string `json:"-"`             // of URL, within the site
	Action   string `json:"-"`             // the text of the link
}

// advice is a reason or a warning with a link to the page that helps.
type advice struct {
	license.Reason
	RequestURL string `json:"requestUrl,omitempty"` // absolute URL of a prefilled request form
	InstallURL string `json:"installUrl,omitempty"` // absolute URL of the installation steps of the key's edition
	Path       string `json:"-"`                    // of either URL, within the site
	Action     string `json:"-"`                    // the text of the link
}

// checkedKey is the content of a key.
type checkedKey struct {
	ID           string          `json:"id"`
	Type         license.Type    `json:"type"`
	Organization string          `json:"organization"`
	Server       license.Server  `json:"serverId"`
	Edition      license.Edition `json:"edition"`
	EditionName  string          `json:"editionName"`
	Package      *checkedPackage `json:"package,omitempty"` // left out if the version is unknown or has no package
	// Custom says that the license has a custom package instead of the edition's; CustomPackages are those on record.
	Custom         bool            `json:"custom,omitempty"`
	CustomPackages []customPackage `json:"customPackages,omitempty"`
	Plugins        []string        `json:"plugins"`
	PluginNames    []string        `json:"pluginNames"` // in the order of Plugins
	Languages      []checkedPart   `json:"languages"`   // of the edition, and added by the key
	Features       []checkedPart   `json:"features"`    // likewise
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

// checkedPackage is the edition's package for the server's version.
type checkedPackage struct {
	Version string `json:"version"`
	File    string `json:"file"`
	URL     string `json:"url"`
}

// InstallPath returns the installation steps of the edition.
func (k checkedKey) InstallPath() string {
	if k.Edition == license.Community {
		return "/editions/community#custom"
	}
	return "/editions/" + string(k.Edition) + "#install"
}

// customPackage is a package that was made for one license.
type customPackage struct {
	File string `json:"file"`
	URL  string `json:"url"`
}

// checkedPart is a language or a feature.
type checkedPart struct {
	Key  string `json:"key"`
	Name string `json:"name"`
}

// check evaluates a key. Neither it nor its callers store or log the key.
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
	q.At.Warns = s.warns
	v := license.Evaluate(text, q.At, keys)
	var recorded license.License
	notices := []notice{}
	if v.Authentic() {
		recorded, notices = s.notices(ctx, *v.Key)
	}
	found := checkResult{
		Valid: v.Valid(), Authentic: v.Authentic(), Compared: q.At.Server != "", Unchecked: f.unchecked(),
		Undone: append([]license.Mangling{}, undone...), Ignored: append([]string{}, q.Ignored...),
		Reasons: s.advise(v.Reasons, v.Key, q.At, c), Notices: notices,
		Warnings: s.advise(s.warnings(v, recorded), v.Key, q.At, c),
	}
	if found.Authentic && len(undone) > 0 {
		found.Text = text
	}
	if v.Key != nil {
		found.Key = s.describe(*v.Key, recorded.Packages, c, q.Version)
		if !found.Authentic { // anyone may have written it
			found.Key.Organization = input.OneLine(found.Key.Organization, maxOrganization)
		}
	}
	if found.Key != nil && found.Key.Custom {
		for i, r := range found.Reasons {
			if r.Code == license.WrongEdition && r.Request == "" { // the server has no package yet
				found.Reasons[i].Remedy = "Install your custom package manually, then install the key."
			}
		}
	}
	found.Summary, found.Next = found.summary(), s.next(found)
	return found, nil
}

// maxOrganization is how much of the organization is shown of a key that we may not have issued.
const maxOrganization = 100

// standard reports whether a key covers exactly the plugins of its edition, as the edition is now or as one of its
// packages has it. Any other key comes with a custom package.
func standard(c *catalog.Catalog, k license.Key) bool {
	same := func(plugins []string) bool {
		return len(plugins) == len(k.Plugins) &&
			!slices.ContainsFunc(plugins, func(p string) bool { return !slices.Contains(k.Plugins, p) })
	}
	edition, _ := c.Edition(string(k.Edition))
	return same(edition.Plugins) || slices.ContainsFunc(c.Packages, func(p catalog.Package) bool {
		var plugins []string
		for _, jar := range p.Jars {
			plugins = append(plugins, jar.Plugin)
		}
		return p.Edition == edition.Key && same(plugins)
	})
}

func (s *site) customPackages(names []string) (list []customPackage) {
	for _, name := range names {
		list = append(list, customPackage{name, s.mail.CustomPackageURL(name)})
	}
	return list
}

func (r checkResult) summary() string {
	switch {
	case !r.Valid:
		return "This key is not valid"
	case !r.Compared:
		return "The key itself is fine; we could not compare it with your server"
	}
	return "This key is valid"
}

// next returns what to do after a check. What our records say of a license comes before how to install its key.
func (s *site) next(r checkResult) step {
	for _, n := range r.Notices {
		if n.Code != notLookedUp && r.Valid {
			return step{Sentence: n.Remedy}
		}
	}
	switch {
	case !r.Valid:
		return step{Sentence: "Still not working? Reply to the email with the key, or write to " +
			cmp.Or(s.mail.Sales.Email, "our sales team") + "."}
	case !r.Compared:
		return step{Sentence: "Enter your server ID and check the key again. " +
			s.brand.Product + " shows the ID under Administration > System."}
	}
	n := step{Path: r.Key.InstallPath(), Action: "How to install the package"}
	n.URL = s.mail.URL + n.Path
	switch {
	case r.Key.Custom:
		n.Sentence = "Install your custom package manually, then paste the key in the License Manager."
	case r.Key.Edition == license.DataCenter:
		n.Sentence = "Install the package manually on every application node, " +
			"then paste the key in the License Manager."
	default:
		n.Sentence = "If the " + r.Key.EditionName + " is already installed, paste the key in the License Manager. " +
			"If not, choose Upgrade at the edition in Administration > Marketplace."
	}
	return n
}

// unchecked names the details that were left empty and are therefore not checked.
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
		case r.Code == license.WrongEdition: // the server has no edition package
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

// requestPath returns the request form that resolves a reason, prefilled with what is known about the server and the
// key.
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
		case license.WrongEdition: // keep the installed edition
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

// coveringEdition returns the smallest edition, starting at the key's own, that contains the plugins which the key
// lacks; the key's own if none contains them all.
func coveringEdition(c *catalog.Catalog, k license.Key, plugins []string) license.Edition {
	for _, edition := range license.Editions[slices.Index(license.Editions, k.Edition):] {
		brings, _ := c.Edition(string(edition))
		if !slices.ContainsFunc(plugins,
			func(p string) bool { return !slices.Contains(k.Plugins, p) && !slices.Contains(brings.Plugins, p) }) {
			return edition
		}
	}
	return k.Edition
}

// describe describes a key with the names of the catalog and with its package: the custom ones on record, or that of
// its edition for the version.
func (s *site) describe(k license.Key, packages []string, c *catalog.Catalog, version string) *checkedKey {
	d := newCheckedKey(k, c, version)
	if d.Custom = len(packages) > 0 || !standard(c, k); d.Custom {
		d.Package, d.CustomPackages = nil, s.customPackages(packages)
	}
	return d
}

// newCheckedKey describes a key with the names of the catalog.
func newCheckedKey(k license.Key, c *catalog.Catalog, version string) *checkedKey {
	edition, _ := c.Edition(string(k.Edition))
	d := &checkedKey{
		ID: k.ID, Type: k.Type, Organization: k.Organization, Server: k.Server, Edition: k.Edition,
		EditionName: k.Edition.Name(),
		Plugins:     k.Plugins, PluginNames: []string{}, Languages: []checkedPart{}, Features: []checkedPart{},
		MaxLoc: k.MaxLoc, MaxLocText: license.Lines(k.MaxLoc), Support: k.Support,
		NotBefore: k.NotBefore, Expiration: k.Expiration, ExpirationText: k.Expiration.Long(),
		ValidThrough: k.Expiration.End().Add(-time.Second),
		Issued:       k.Issued, Kid: k.Kid,
	}
	if p, ok := c.Package(edition.Key, version); ok && p.Withdrawn == "" {
		d.Package = &checkedPackage{Version: p.Version, File: p.File, URL: p.URL}
	}
	for _, key := range k.Plugins {
		name := key
		for _, p := range c.Plugins {
			if p.Key == key {
				name = cmp.Or(p.Name, key)
			}
		}
		d.PluginNames = append(d.PluginNames, name)
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

// union returns the items of both lists in order, each once.
func union(a, b []string) (all []string) {
	for _, item := range slices.Concat(a, b) {
		if !slices.Contains(all, item) {
			all = append(all, item)
		}
	}
	return all
}
