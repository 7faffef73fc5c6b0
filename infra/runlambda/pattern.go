package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"marketplace/infra/stack"
)

// pattern is a filter of events, as event source mappings of Lambda and subscriptions of SNS have them. It knows what
// the template uses: texts, prefix and anything-but. An event matches if each member does, and a member if one of its
// rules does.
type pattern map[string]any

// newPattern checks a pattern; what it does not know is an error, since it would match something else on AWS.
func newPattern(v any) (pattern, error) {
	m, ok := v.(map[string]any)
	if !ok || len(m) == 0 {
		return nil, fmt.Errorf("%s is no pattern", stack.Text(v))
	}
	for name, member := range m {
		rules, leaf := member.([]any)
		if !leaf {
			if _, err := newPattern(member); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			continue
		}
		if len(rules) == 0 {
			return nil, fmt.Errorf("%s has no rule", name)
		}
		for _, rule := range rules {
			if !known(rule) {
				return nil, fmt.Errorf("%s: the rule %s is not known here", name, stack.Text(rule))
			}
		}
	}
	return m, nil
}

// parsePattern reads a pattern that is written as JSON.
func parsePattern(text string) (pattern, error) {
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return nil, fmt.Errorf("the pattern %q: %w", text, err)
	}
	return newPattern(v)
}

// known reports whether a rule is one of the three kinds.
func known(rule any) bool {
	if _, ok := rule.(string); ok {
		return true
	}
	m, _ := rule.(map[string]any)
	if _, ok := m["prefix"].(string); ok {
		return len(m) == 1
	}
	others, ok := m["anything-but"].([]any)
	notText := func(v any) bool { _, ok := v.(string); return !ok }
	return ok && len(m) == 1 && !slices.ContainsFunc(others, notText)
}

// matches reports whether an event, as JSON decodes it, has every member of the pattern.
func (p pattern) matches(event any) bool {
	for name, member := range p {
		got := stack.At(event, name)
		if rules, leaf := member.([]any); leaf {
			text, ok := got.(string)
			if !ok || !slices.ContainsFunc(rules, func(rule any) bool { return applies(rule, text) }) {
				return false
			}
		} else if inner, ok := member.(map[string]any); !ok || !pattern(inner).matches(got) {
			return false
		}
	}
	return true
}

func applies(rule any, text string) bool {
	m, ok := rule.(map[string]any)
	if !ok {
		return rule == any(text)
	}
	if prefix, ok := m["prefix"].(string); ok {
		return strings.HasPrefix(text, prefix)
	}
	return !slices.Contains(stack.List(m["anything-but"]), any(text))
}
