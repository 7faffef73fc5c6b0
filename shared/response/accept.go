package response

import "strings"

// PrefersJSON reports whether an Accept field prefers JSON, of an answer or of a problem, to an HTML page (RFC 9110
// §12.5.1). Several fields of one request are joined with commas. Equal preference, and none for either, means a page.
func PrefersJSON(accept string) bool {
	json := max(mediaWeight(accept, "application", "json"), mediaWeight(accept, "application", "problem+json"))
	return json > mediaWeight(accept, "text", "html")
}

// How closely a media range fits a type; the closest range decides. Types here have no parameters but a charset, so a
// range with parameters asks for a variant: it decides only where no range names the type alone.
const (
	anyType = iota + 1
	anySubtype
	variant
	exact
)

// mediaWeight returns the weight of a media type in thousandths, 0 where no range fits. Ranges that are not understood
// count for nothing; of ranges that fit equally the largest weight counts.
func mediaWeight(accept, major, minor string) int {
	weight, closest := 0, 0
	for accept != "" {
		var element string
		element, accept = cut(accept, ',')
		mediaRange, parameters := cut(element, ';')
		fit := fitOf(strings.Trim(mediaRange, " \t"), major, minor)
		w, plain, ok := weightOf(parameters)
		if fit == 0 || !ok {
			continue
		}
		if fit == exact && !plain {
			fit = variant
		}
		if fit > closest || fit == closest && w > weight {
			weight, closest = w, fit
		}
	}
	return weight
}

func fitOf(mediaRange, major, minor string) int {
	rangeMajor, rangeMinor, ok := strings.Cut(mediaRange, "/")
	switch {
	case !ok:
		return 0
	case rangeMajor == "*" && rangeMinor == "*":
		return anyType
	case !strings.EqualFold(rangeMajor, major):
		return 0
	case rangeMinor == "*":
		return anySubtype
	case strings.EqualFold(rangeMinor, minor):
		return exact
	}
	return 0
}

// Weight returns the weight among the parameters of an element of an Accept or Accept-Encoding field, in thousandths:
// 1000 where none is given (RFC 9110 §12.4.2). ok is false where the weight is malformed.
func Weight(parameters string) (thousandths int, ok bool) {
	thousandths, _, ok = weightOf(parameters)
	return thousandths, ok
}

// weightOf also reports whether there is no parameter but the weight.
func weightOf(parameters string) (thousandths int, plain, ok bool) {
	thousandths, plain, ok = 1000, true, true
	for parameters != "" {
		var parameter string
		parameter, parameters = cut(parameters, ';')
		key, value, _ := strings.Cut(strings.Trim(parameter, " \t"), "=")
		switch {
		case strings.EqualFold(key, "q"):
			thousandths, ok = qvalue(value)
			return thousandths, plain, ok
		case key != "":
			plain = false
		}
	}
	return thousandths, plain, ok
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

// cut splits s at the first separator that is not inside a quoted string.
func cut(s string, separator byte) (before, after string) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted:
			i++
		case c == separator && !quoted:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}
