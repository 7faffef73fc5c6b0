package catalog

import (
	"fmt"
	"slices"
	"strings"

	"marketplace/shared/properties"
)

// Slips are mistakes that a properties parser accepts: a misspelt or repeated property, one that a backslash joins to
// the line before it, and the markers of an unfinished merge. They are faults in a file on which an edition depends,
// and warnings in any other: metadata of every year has some, and must stay publishable.

// listProperties are the names without a prefix, propertyNames those after the prefix of a version or an edition.
var (
	listProperties = map[string][]string{
		versionsFile:  {"plugins", "publicVersions", "privateVersions", "ltsVersion", "devVersion"},
		templatesFile: {"editions"},
		factsFile:     {"languages", "features", "locThresholds", "termsUrl"},
		withdrawnFile: {},
		"":            {"publicVersions", "archivedVersions", "privateVersions", "devVersion", "name", "description"},
	}
	propertyNames = map[string][]string{
		versionsFile:  {"date", "description", "downloadUrl", "changelogUrl"},
		templatesFile: {"name", "textDescription", "homeUrl", "requestLicenseUrl", "plugins"},
		factsFile:     {"name", "plugin", "description", "editions", "words"},
		withdrawnFile: {},
		"":            {"sqVersions", "date", "description", "downloadUrl", "changelogUrl"},
	}
)

// namesFor returns the known names of a file; those of a plugin's file are under "".
func namesFor(table map[string][]string, file string) []string {
	if names, ok := table[file]; ok {
		return names
	}
	return table[""]
}

// checkSlips reports every slip in the file.
func (s *source) checkSlips() {
	first := map[string]properties.Pair{}
	for _, p := range s.props.Pairs() {
		s.checkMerge(p)
		s.checkContinuation(p)
		if meant := s.meantName(p.Key); meant != "" {
			s.slip("line %d: property %s: did you mean %s?", p.Line, p.Key, meant)
		}
		switch known, twice := first[p.Key]; {
		case !twice:
			first[p.Key] = p
		case strings.TrimSpace(known.Value) != strings.TrimSpace(p.Value):
			s.slip("lines %d and %d: property %s has two values, %q and %q",
				known.Line, p.Line, p.Key, known.Value, p.Value)
		default:
			s.warn("lines %d and %d: property %s is repeated", known.Line, p.Line, p.Key)
		}
	}
}

// checkMerge reports the markers of a merge conflict. "=======" is a pair with an empty key.
func (s *source) checkMerge(p properties.Pair) {
	mark := p.Key
	if p.Key == "" && strings.HasPrefix(p.Value, "======") {
		mark = "======="
	}
	for _, m := range []string{"<<<<<<<", "=======", ">>>>>>>", "|||||||"} {
		if strings.HasPrefix(mark, m) {
			s.slip("line %d: %s is the marker of a merge conflict", p.Line, m)
		}
	}
}

// checkContinuation reports a property that a backslash at the end of the line before made part of another's value.
func (s *source) checkContinuation(p properties.Pair) {
	for i, line := range p.Continued {
		key, _, found := strings.Cut(line, "=")
		if key = strings.TrimSpace(key); found && s.matters(key) {
			s.slip("line %d: property %s is part of the value of %s, because the line before it ends with a backslash",
				p.Line+i+1, key, p.Key)
		}
	}
}

// matters reports whether the file's reader uses a key.
func (s *source) matters(key string) bool {
	if slices.Contains(namesFor(listProperties, s.name), key) {
		return true
	}
	i := strings.LastIndexByte(key, '.')
	return i > 0 && slices.Contains(namesFor(propertyNames, s.name), key[i+1:])
}

// meantName returns the known key of which key is probably a misspelling, "" if it resembles none.
func (s *source) meantName(key string) string {
	if s.matters(key) {
		return ""
	}
	prefix, name := "", key
	names := namesFor(listProperties, s.name)
	if i := strings.LastIndexByte(key, '.'); i >= 0 {
		prefix, name = key[:i+1], key[i+1:]
		names = namesFor(propertyNames, s.name)
	}
	for _, known := range names {
		// Private and development versions are ignored, so misspelling them does no harm.
		if known != "privateVersions" && known != "devVersion" && nearly(name, known) {
			return prefix + known
		}
	}
	return ""
}

// nearly reports whether two names differ only in case or by at most two letters (one in short names) that are missing,
// added, replaced or swapped.
func nearly(a, b string) bool {
	a, b = strings.ToLower(a), strings.ToLower(b)
	limit := 2
	if min(len(a), len(b)) < 6 {
		limit = 1
	}
	return distance(a, b) <= limit
}

// distance returns the optimal string alignment distance of two short names.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			replaced := 1
			if a[i-1] == b[j-1] {
				replaced = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+replaced)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

// slip reports a mistake that stops the publication if an edition depends on the file.
func (s *source) slip(format string, args ...any) {
	if s.needed {
		s.fault(format, args...)
	} else {
		s.warn(format, args...)
	}
}

// warn reports what does not stop a publication.
func (s *source) warn(format string, args ...any) {
	s.warnings = append(s.warnings, fmt.Sprintf(s.name+": "+format, args...))
}
