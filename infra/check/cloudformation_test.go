package check

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// template is template.yaml, where !Ref x reads {"Ref": x} and so on.
type template struct{ root any }

func parseTemplate(text string) (template, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return template{}, err
	}
	return template{plain(doc.Content[0])}, nil
}

func plain(n *yaml.Node) (v any) {
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			m[n.Content[i].Value] = plain(n.Content[i+1])
		}
		v = m
	case yaml.SequenceNode:
		list := []any{}
		for _, c := range n.Content {
			list = append(list, plain(c))
		}
		v = list
	default:
		v = n.Value
	}
	if tag := n.Tag; strings.HasPrefix(tag, "!") && !strings.HasPrefix(tag, "!!") {
		v = map[string]any{tag[1:]: v}
	}
	return v
}

// at follows keys into a tree. It returns nil if there is no value.
func at(v any, keys ...string) any {
	for _, key := range keys {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}

func str(v any) string { s, _ := v.(string); return s }

// list returns a list, or a single value as a list of one.
func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

func keysOf(v any) []string {
	m, _ := v.(map[string]any)
	return slices.Sorted(maps.Keys(m))
}

// functions returns the properties of every function, including Globals, by logical ID.
func (t template) functions() map[string]map[string]any {
	functions := map[string]map[string]any{}
	for _, id := range keysOf(at(t.root, "Resources")) {
		r := at(t.root, "Resources", id)
		if at(r, "Type") != "AWS::Serverless::Function" {
			continue
		}
		properties := map[string]any{"BuildMethod": at(r, "Metadata", "BuildMethod")}
		for _, from := range []any{at(t.root, "Globals", "Function"), at(r, "Properties")} {
			for _, key := range keysOf(from) {
				properties[key] = at(from, key)
			}
		}
		functions[id] = properties
	}
	return functions
}

// samples are values for the template's parameters, as in a deployment.
var samples = map[string]string{
	"SiteUrl": "https://licenses.example.com", "PackagesUrl": "https://cdn.example.com/packages", "MailIdentity": "example.com",
	"MailFromUser": "licensing", "SalesEmail": "sales@example.com",
	"OidcIssuer": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI", "OidcClientId": "client",
}

// resolved returns a value's text in a deployment with the samples. The Ref of a resource is its logical ID.
func (t template) resolved(v any) string {
	ref := func(name string) string {
		if s, ok := samples[name]; ok {
			return s
		}
		if s := at(t.root, "Parameters", name, "Default"); s != nil {
			return str(s)
		}
		return name
	}
	if name := at(v, "Ref"); name != nil {
		return ref(str(name))
	}
	if text := at(v, "Sub"); text != nil {
		return regexp.MustCompile(`\$\{[^}]+\}`).ReplaceAllStringFunc(str(text), func(s string) string {
			return ref(s[2 : len(s)-1])
		})
	}
	if branches := list(at(v, "If")); len(branches) == 3 { // as the samples, which name what somebody has already
		return t.resolved(branches[2])
	}
	return str(v)
}
