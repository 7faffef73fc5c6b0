package api

import (
	"strings"

	"marketplace/catalog/bundle"
	"marketplace/shared/response"
)

// coding is a content coding of prepared documents. The order is ours of preference.
type coding int8

const (
	brotli coding = iota
	gzip
	identity
	codings int = iota
)

func (c coding) name() string { return [...]string{"br", "gzip", ""}[c] }

func (c coding) body(d *bundle.Document) *bundle.Body {
	return [...]*bundle.Body{&d.Brotli, &d.Gzip, &d.Identity}[c]
}

// choose returns the coding that an Accept-Encoding field prefers (RFC 9110 §12.5.3); of equals, that of the smaller
// body. Malformed elements count for nothing. A field that excludes everything gets identity, never a 406.
func choose(accept string) coding {
	const unlisted = -1
	weights := [codings]int{unlisted, unlisted, unlisted}
	others := unlisted
	for accept != "" {
		var element string
		element, accept, _ = strings.Cut(accept, ",")
		name, parameters, _ := strings.Cut(element, ";")
		weight, ok := response.Weight(parameters)
		if !ok {
			continue
		}
		switch name = strings.Trim(name, " \t"); {
		case strings.EqualFold(name, "br"):
			weights[brotli] = weight
		case strings.EqualFold(name, "gzip"), strings.EqualFold(name, "x-gzip"):
			weights[gzip] = weight
		case strings.EqualFold(name, "identity"):
			weights[identity] = weight
		case name == "*":
			others = weight
		}
	}
	best, most := identity, 0
	for c, weight := range weights {
		if weight == unlisted {
			weight = others // an unlisted identity stays acceptable as the last choice
		}
		if weight > most {
			best, most = coding(c), weight
		}
	}
	return best
}

// matches reports whether an If-None-Match field names the strong etag; the comparison is weak (RFC 9110 §13.1.2). The
// rest of the field after a malformed entity tag is ignored.
func matches(field, etag string) bool {
	for {
		field = strings.TrimLeft(field, " \t,")
		if field == "*" || strings.HasPrefix(field, "*") && strings.Trim(field[1:], " \t,") == "" {
			return true
		}
		tag := strings.TrimPrefix(field, "W/")
		if tag == "" || tag[0] != '"' {
			return false
		}
		end := strings.IndexByte(tag[1:], '"')
		if end < 0 {
			return false
		}
		if tag[:end+2] == etag {
			return true
		}
		field = tag[end+2:]
	}
}
