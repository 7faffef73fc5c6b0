package catalog

import (
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"marketplace/shared/lazyregexp"
	"marketplace/shared/license"
)

// Files of our own beside the vendor's. Both may be absent.
const (
	factsFile     = "product.properties"
	withdrawnFile = "withdrawn.properties"
)

// facts has what people and licenses need to know about the product beyond the vendor's format.
type facts struct {
	termsURL      string
	languages     []Language
	features      []feature
	locThresholds []int64
}

type feature struct {
	Feature
	editions []string
}

// readFacts reads product.properties:
//
//	termsUrl=${SITE_URL}/terms                  the terms and conditions of the packages
//	languages=cobol,java                        in the order of display
//	language.cobol.name=COBOL
//	language.cobol.plugin=cobol                 the plugin with it; empty: every edition has it
//	language.cobol.words=mainframe              what else people search for; a feature may have it, too
//	features=branches
//	feature.branches.name=Branch analysis
//	feature.branches.description=One sentence.
//	feature.branches.editions=developer,enterprise,datacenter
//	locThresholds=100000,500000                 the lines of code that sales picks from, ascending
func readFacts(s *source, templates []template) facts {
	f := facts{termsURL: s.value("termsUrl")}
	for _, key := range s.list("languages") {
		f.languages = append(f.languages, Language{
			Key:    key,
			Name:   s.required("language." + key + ".name"),
			Plugin: s.value("language." + key + ".plugin"),
			Words:  s.list("language." + key + ".words"),
		})
	}
	for _, key := range s.list("features") {
		next := feature{Feature: Feature{
			Key:         key,
			Name:        s.required("feature." + key + ".name"),
			Description: s.value("feature." + key + ".description"),
			Words:       s.list("feature." + key + ".words"),
		}, editions: s.list("feature." + key + ".editions")}
		for _, edition := range next.editions {
			if !slices.ContainsFunc(templates, func(t template) bool { return t.key == edition }) {
				s.fault("property feature.%s.editions: no edition %s", key, edition)
			}
		}
		f.features = append(f.features, next)
	}
	for _, text := range s.list("locThresholds") {
		lines, err := strconv.ParseInt(text, 10, 64)
		if last := len(f.locThresholds); err != nil || lines <= 0 || last > 0 && lines <= f.locThresholds[last-1] {
			s.fault("locThresholds: %q is not a number greater than the one before it", text)
		}
		f.locThresholds = append(f.locThresholds, lines)
	}
	return f
}

var packageName = lazyregexp.New(`^([a-z]+)-edition-([0-9]+)\.([0-9]+)\.([0-9]+)\.[0-9]+\.zip$`)

func isPackageName(file string) bool {
	parts := packageName().FindStringSubmatch(file)
	return parts != nil && license.Edition(parts[1]).Valid()
}

// readWithdrawn reads withdrawn.properties: "<package file>=<why, one sentence for people>". It may list packages of
// earlier builds, so that their old links are answered with the reason.
func readWithdrawn(s *source) map[string]string {
	withdrawn := make(map[string]string)
	for file, reason := range s.props.All() {
		reason = strings.TrimSpace(reason)
		if !isPackageName(file) {
			s.fault("%q is not a package name such as developer-edition-6.7.1.717.zip", file)
		} else if reason == "" {
			s.fault("%s: the reason is missing", file)
		}
		withdrawn[file] = reason
	}
	return withdrawn
}

// readOptional reads a file of our own if it exists.
func readOptional(dir fs.FS, name string, r *report, read func(*source)) {
	if _, err := fs.Stat(dir, name); err != nil {
		return
	}
	if s, ok := open(dir, name, true, r); ok {
		read(s)
	}
}
