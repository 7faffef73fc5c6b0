package check

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// partitionKinds are the kinds of partitions that things of many customers share, as the documentation names them, by
// what their keys look like.
var partitionKinds = map[string]*regexp.Regexp{
	"AUDIT#<day>#customer":           regexp.MustCompile(`^AUDIT#[0-9-]+#customer$`),
	"AUDIT#<day>#system":             regexp.MustCompile(`^AUDIT#[0-9-]+#system$`),
	"AUDIT#<day>#colleague":          regexp.MustCompile(`^AUDIT#[0-9-]+#colleague$`),
	"QUEUE#in review###<reviewer>":   regexp.MustCompile(`^QUEUE#in review###.+$`),
	"QUEUE#<state>#<kind>##":         regexp.MustCompile(`^QUEUE#[a-z ]+#[a-z]+##$`),
	"QUEUE#<state>##<edition>#":      regexp.MustCompile(`^QUEUE#[a-z ]+##[a-z]+#$`),
	"QUEUE#<state>#<kind>#<edition>": regexp.MustCompile(`^QUEUE#[a-z ]+#[a-z]+#[a-z]+#$`),
	"WEEK#<week>":                    regexp.MustCompile(`^WEEK#`),
	"WORD-REQUESTS#<two letters>":    regexp.MustCompile(`^WORD-REQUESTS#`),
	"WORD#<two letters>":             regexp.MustCompile(`^WORD#`),
	"SERVER#<four characters>":       regexp.MustCompile(`^SERVER#`),
	"EXPIRY#<month>":                 regexp.MustCompile(`^EXPIRY#`),
	"DUE#<month>":                    regexp.MustCompile(`^DUE#`),
	"OUTBOX#1#<shard>":               regexp.MustCompile(`^OUTBOX#1#`),
	"OUTBOX#2#<shard>":               regexp.MustCompile(`^OUTBOX#2#`),
	"OUTBOX#3#<shard>":               regexp.MustCompile(`^OUTBOX#3#`),
	"LATER#<shard>":                  regexp.MustCompile(`^LATER#`),
}

// kindOfPartition returns the kind of a partition. Many customers share all partitions of a kind, or else each is that
// of one customer, license, request, email, person or server: then the kind ends in "#…".
func kindOfPartition(pk string) string {
	if kind, ok := kindsKnown.Load(pk); ok {
		return kind.(string)
	}
	kind := findKind(pk)
	kindsKnown.Store(pk, kind)
	return kind
}

// kindsKnown are the kinds that kindOfPartition found: every seeded fault asks for the same ones.
var kindsKnown sync.Map

var ofReference = regexp.MustCompile(`^REFERENCE#[CKR]-`)

func findKind(pk string) string {
	for _, kind := range slices.Sorted(maps.Keys(partitionKinds)) {
		if partitionKinds[kind].MatchString(pk) {
			return kind
		}
	}
	if m := ofReference.FindString(pk); m != "" {
		return m + "…"
	}
	name, _, parted := strings.Cut(pk, "#")
	if !parted || name == "QUEUE" {
		return pk
	}
	return name + "#…"
}

// isShared reports whether many customers share a partition of a kind.
func isShared(kind string) bool { return !strings.HasSuffix(kind, "…") }

func TestKindsOfPartitions(t *testing.T) {
	for _, key := range rowKeys() {
		kind := kindOfPartition(key.PK)
		if fixed(kind) != fixed(key.PK) {
			t.Errorf("%s: got the kind %s", key.PK, kind)
		}
		if kind == key.PK && strings.ContainsAny(kind, "0123456789") {
			t.Errorf("%s is a kind of its own", key.PK)
		}
	}
}
