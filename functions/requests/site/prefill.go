package site

import (
	"net/url"
	"slices"
	"strings"

	"marketplace/shared/license"
	"marketplace/shared/request"
)

// prefill reads what a link brings along (CLIENT-CONTRACT §3) into a form for the edition. Of each parameter the first
// value that makes sense is taken; all else is ignored.
func prefill(q url.Values, edition license.Edition) request.Form {
	f := request.Form{Edition: string(edition)}
	f.Server = firstValid(q["serverId"], func(s string) bool { _, err := license.ParseServer(s); return err == nil })
	f.Loc = firstValid(q["ncloc"], func(s string) bool { _, err := request.ParseLoc(s); return err == nil })
	if f.Kind, f.Replaces = requestParameters(q); f.Kind == "" {
		f.Kind = string(guessKind(sourceEdition(q), edition))
	}
	return f
}

// requestParameters returns the kind of request that a link is for, and which license it is about; "" where the link does not say.
func requestParameters(q url.Values) (kind, replaces string) {
	kind = firstValid(q["kind"], func(s string) bool { return request.Kind(s).Valid() })
	return kind, firstValid(q["replaces"], license.ValidID) // the ID of a server has the form, too
}

// sourceEdition is the edition that the server runs, "" where the link does not say.
func sourceEdition(q url.Values) license.Edition {
	return parseEdition(firstValid(q["sourceEdition"], func(s string) bool { return parseEdition(s).Valid() }))
}

// guessKind guesses what is asked for from the edition that the server runs: the same one again is a renewal, a smaller one
// with a license an upgrade. Of Community nothing can be told: an evaluation and a purchase both begin there.
func guessKind(from, wanted license.Edition) request.Kind {
	switch {
	case from == wanted:
		return request.Renewal
	case from != license.Community && from.Valid() && slices.Index(license.Editions, from) < slices.Index(license.Editions, wanted):
		return request.Upgrade
	}
	return ""
}

// parseEdition is the edition of a key or a name, however it is written: developer, Developer Edition, data center.
func parseEdition(s string) license.Edition {
	s = strings.ToLower(strings.Join(strings.Fields(s), ""))
	return license.Edition(strings.TrimSuffix(s, "edition"))
}

// formPath is the address of a form that is filled in: what prefill reads. Without an edition that needs a license it is the
// page that asks for one.
func formPath(f request.Form) string {
	path := "/request"
	if e := license.Edition(f.Edition); e.Valid() && e != license.Community {
		path += "/" + f.Edition
	}
	return path + encodeQuery(map[string]string{"serverId": f.Server, "ncloc": f.Loc, "kind": f.Kind, "replaces": f.Replaces})
}

func firstValid(values []string, valid func(string) bool) string {
	for _, v := range values {
		if v = strings.TrimSpace(v); valid(v) {
			return v
		}
	}
	return ""
}

// linkQuery is what links keep of the server that the visitor came from: "?ncloc=…&serverId=…&sourceEdition=…", or "" for
// nothing.
func linkQuery(q url.Values) string { return encodeQuery(serverParameters(q)) }

// formQuery is what links to the form of an edition keep: beside that, what is asked for, which is of that form alone.
func formQuery(q url.Values) string {
	keep := serverParameters(q)
	keep["kind"], keep["replaces"] = requestParameters(q)
	return encodeQuery(keep)
}

// serverParameters is what a link says of the server, by the names of its parameters.
func serverParameters(q url.Values) map[string]string {
	f := prefill(q, "")
	return map[string]string{"serverId": f.Server, "ncloc": f.Loc, "sourceEdition": string(sourceEdition(q))}
}

// encodeQuery is the query with the parameters that have a value: "?…", or "" for none.
func encodeQuery(parameters map[string]string) string {
	q := make(url.Values)
	for name, value := range parameters {
		if value != "" {
			q.Set(name, value)
		}
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}
