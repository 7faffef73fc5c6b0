package preview

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/marketplace"
	"marketplace/shared/request"
)

// query is what an address of the preview says: the server, and how far its administrator is.
type query struct {
	Version string          // as the footer shows it; "" is the newest one
	Edition license.Edition // installed; Community for none
	Server  string          // its ID, "" if it is not known
	Loc     string          // lines of code, "" if they are not known
	Cluster bool
	Offline bool
	Box     license.Edition // whose dialog is open; "" for none
	Step    step
	License sample // that is pasted into the dialog
	Catalog string // of several catalogs, the one that is shown; "" is the first
}

// step is how far the administrator is in the dialog of a box and after it.
type step string

const (
	question    step = ""            // the dialog is open, or none is
	pasted      step = "key"         // a license was pasted
	saved       step = "saved"       // nothing had to be installed
	downloading step = "downloading" // Install was pressed
	failed      step = "failed"      // the download was
	ready       step = "ready"       // the download is complete
	interrupted step = "interrupted" // the server was restarted during the download
	manual      step = "manual"      // the plugins have to be installed manually
	missing     step = "missing"     // a restart without all plugins
	refused     step = "refused"     // a restart with a key that the license plugin refuses
	installed   step = "installed"   // a restart with everything in place
	removing    step = "removing"    // the downgrade to the community edition was confirmed
	stuck       step = "stuck"       // a restart with plugins that were left behind
	removed     step = "removed"     // a restart without them
)

var steps = []step{question, pasted, saved, downloading, failed, ready, interrupted, manual, missing, refused,
	installed, removing, stuck, removed}

// sample is a license that the preview pastes.
type sample string

const (
	matching sample = ""        // for the box's edition, with the plugins of its package
	other    sample = "other"   // for another edition
	damaged  sample = "damaged" // no license, or the part of one
)

// maxVersion is how many characters of a version are read. A footer has fewer.
const maxVersion = 60

// read reads the parameters of an address. It takes the first sane value of each, as the request form does
// (client-contract.md §3), and ignores the rest.
func read(v url.Values) query {
	q := query{
		Version: input.OneLine(first(v["version"], func(s string) bool { return s != "" }), maxVersion),
		Edition: license.ParseEdition(first(slices.Concat(v["edition"], v["sourceEdition"]), isEdition)),
		Server: first(v["serverId"], func(s string) bool {
			_, err := license.ParseServer(s)
			return err == nil
		}),
		Cluster: slices.Contains(v["with"], "cluster"),
		Offline: slices.Contains(v["with"], "offline"),
		Box:     license.ParseEdition(first(v["box"], isEdition)),
		Catalog: v.Get("catalog"),
	}
	if q.Edition == "" {
		q.Edition = license.Community
	}
	loc := first(v["ncloc"], func(s string) bool { _, err := request.ParseLoc(s); return err == nil })
	if n, err := request.ParseLoc(loc); err == nil {
		q.Loc = strconv.FormatInt(n, 10)
	}
	if s := step(v.Get("step")); q.Box != "" && slices.Contains(steps, s) {
		q.Step = s
	}
	if l := sample(v.Get("license")); l == other || l == damaged {
		q.License = l
	}
	return q
}

func first(values []string, sane func(string) bool) string {
	for _, v := range values {
		if v = strings.TrimSpace(v); sane(v) {
			return v
		}
	}
	return ""
}

func isEdition(s string) bool { return license.ParseEdition(s).Valid() }

// values returns the parameters of the address again.
func (q query) values() url.Values {
	v := url.Values{}
	set := func(name, value string) {
		if value != "" {
			v.Set(name, value)
		}
	}
	set("version", q.Version)
	if q.Edition != license.Community {
		set("edition", string(q.Edition))
	}
	set("serverId", q.Server)
	set("ncloc", q.Loc)
	if q.Cluster {
		v.Add("with", "cluster")
	}
	if q.Offline {
		v.Add("with", "offline")
	}
	set("box", string(q.Box))
	set("step", string(q.Step))
	set("license", string(q.License))
	set("catalog", q.Catalog)
	return v
}

// at returns the address of another step in the dialog that is open.
func (q query) at(path string, s step) string {
	q.Step = s
	return q.address(path)
}

// address returns the address of the query at a path.
func (q query) address(path string) string {
	if v := q.values(); len(v) > 0 {
		path += "?" + v.Encode()
	}
	return path
}

// hidden returns the parameters as fields of a form.
func (q query) hidden() (fields []parameter) {
	v := q.values()
	for _, name := range slices.Sorted(maps.Keys(v)) {
		for _, value := range v[name] {
			fields = append(fields, parameter{name, value})
		}
	}
	return fields
}

type parameter struct{ Name, Value string }

// server is the server that the address describes, with the plugins of its edition.
func (q query) server(plugins []string) marketplace.Server {
	s := marketplace.Server{Edition: q.Edition, Plugins: plugins, Cluster: q.Cluster, Offline: q.Offline}
	if s.Edition == license.Community {
		s.Edition = ""
	}
	return s
}
