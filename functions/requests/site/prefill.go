package site

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"marketplace/shared/license"
	"marketplace/shared/request"
)

// prefill reads the parameters of a link (client-contract.md §3) into a form for the edition. It uses the first valid
// value of each parameter and ignores everything else.
func prefill(q url.Values, edition license.Edition) request.Form {
	f := request.Form{Edition: string(edition)}
	f.Server = firstValid(q["serverId"], func(s string) bool { _, err := license.ParseServer(s); return err == nil })
	valid := func(s string) bool { _, err := request.ParseLoc(s); return err == nil }
	if loc := firstValid(q["ncloc"], valid); loc != "" {
		n, _ := request.ParseLoc(loc)
		f.Loc = strconv.FormatInt(n, 10) // links repeat the number, not its zeros
	}
	if f.Kind, f.Replaces = requestParameters(q); f.Kind == "" {
		f.Kind = string(guessKind(sourceEdition(q), edition))
	}
	if f.Kind == string(request.Replacement) {
		f.Change, f.Planned = planParameters(q)
	}
	return f
}

// requestParameters returns the kind of request and the related license that a link names; "" for none.
func requestParameters(q url.Values) (kind, replaces string) {
	kind = firstValid(q["kind"], func(s string) bool { return request.Kind(s).Valid() })
	for _, typed := range q["replaces"] {
		if replaces, err := request.ParseReplaces(typed); err == nil {
			if replaces = license.ReadReference(replaces).Text(); replaces != "" {
				return kind, replaces
			}
		}
	}
	return kind, ""
}

// sourceEdition returns the edition that the server runs, or "" if the link does not name it.
func sourceEdition(q url.Values) license.Edition {
	valid := func(s string) bool { return license.ParseEdition(s).Valid() }
	return license.ParseEdition(firstValid(q["sourceEdition"], valid))
}

// guessKind derives the kind of request from the edition that the server runs: the same edition is a renewal, a smaller
// licensed one an upgrade. Community says nothing: both evaluations and purchases start there.
func guessKind(from, wanted license.Edition) request.Kind {
	switch {
	case from == wanted:
		return request.Renewal
	case from != license.Community && from.Valid() &&
		slices.Index(license.Editions, from) < slices.Index(license.Editions, wanted):
		return request.Upgrade
	}
	return ""
}

// formPath returns the address of a form that prefill fills in, or of the choice of an edition if f has no licensed
// edition.
func formPath(f request.Form) string {
	path := "/request"
	if e := license.Edition(f.Edition); e.Valid() && e != license.Community {
		path += "/" + f.Edition
	}
	return path + encodeQuery(map[string]string{
		"serverId": f.Server, "ncloc": f.Loc, "kind": f.Kind, "replaces": f.Replaces,
	})
}

func firstValid(values []string, valid func(string) bool) string {
	for _, v := range values {
		if v = strings.TrimSpace(v); valid(v) {
			return v
		}
	}
	return ""
}

// linkQuery returns the query that keeps the visitor's server in links: "?ncloc=…&serverId=…&sourceEdition=…", or "".
func linkQuery(q url.Values) string { return encodeQuery(serverParameters(q)) }

// formQuery returns the query of links to a form: linkQuery plus the kind of request and the related license.
func formQuery(q url.Values) string {
	keep := serverParameters(q)
	keep["kind"], keep["replaces"] = requestParameters(q)
	keep["change"], keep["planned"] = planParameters(q)
	return encodeQuery(keep)
}

// serverParameters returns what a link says about the server, by parameter name.
func serverParameters(q url.Values) map[string]string {
	f := prefill(q, "")
	return map[string]string{"serverId": f.Server, "ncloc": f.Loc, "sourceEdition": string(sourceEdition(q))}
}

// encodeQuery returns "?…" with the parameters that have a value, or "" for none.
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

// joinQuery adds parameters to a query, "?…" or "".
func joinQuery(query string, more url.Values) string {
	if query == "" {
		return "?" + more.Encode()
	}
	return query + "&" + more.Encode()
}
