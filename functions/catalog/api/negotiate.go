package api

import (
	"strings"

	"marketplace/catalog/bundle"
)

// coding is a content coding that documents are prepared in, in the order of preference.
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

// choose returns the coding that an Accept-Encoding field likes best (RFC 9110 §12.5.3); of equals the smaller body. Elements
// that are not understood count for nothing. A field that excludes everything gets identity: never a 406.
func choose(accept string) coding {
	const unlisted = -1
	weights := [codings]int{unlisted, unlisted, unlisted}
	others := unlisted
	for accept != "" {
		var element string
		element, accept, _ = strings.Cut(accept, ",")
		name, parameters, _ := strings.Cut(element, ";")
		weight, ok := quality(parameters)
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
			weight = others // which leaves an unlisted identity acceptable, as the last choice
		}
		if weight > most {
			best, most = coding(c), weight
		}
	}
	return best
}

// quality returns the weight among an element's parameters in thousandths, 1000 without one (RFC 9110 §12.4.2).
func quality(parameters string) (weight int, ok bool) {
	for parameters != "" {
		var parameter string
		parameter, parameters, _ = strings.Cut(parameters, ";")
		key, value, _ := strings.Cut(strings.Trim(parameter, " \t"), "=")
		if strings.EqualFold(key, "q") {
			return qvalue(value)
		}
	}
	return 1000, true
}

// qvalue reads "0", "1", or these with a point and up to three digits, at most 1.
func qvalue(s string) (thousandths int, ok bool) {
	if s == "" || len(s) > len("0.000") || len(s) > 1 && s[1] != '.' {
		return 0, false
	}
	scale := 1000
	for i := range len(s) {
		if i == 1 {
			continue
		}
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		thousandths += int(s[i]-'0') * scale
		scale /= 10
	}
	return thousandths, thousandths <= 1000
}

// matches reports whether an If-None-Match field names etag, which is strong; the comparison is weak (RFC 9110 §13.1.2). What
// follows the first thing that is no entity tag is not looked at.
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
