package stack

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Template is a template of CloudFormation or SAM. !Ref x and Fn::Ref read {"Ref": x}, and !GetAtt a.b and its list
// read {"GetAtt": "a.b"}. Every scalar is its text.
type Template struct{ Root any }

// Parse reads a template in YAML. A mapping with the same key twice is an error, since the last one would win.
func Parse(text string) (Template, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return Template{}, err
	}
	if len(doc.Content) == 0 {
		return Template{}, fmt.Errorf("stack: an empty template")
	}
	v, err := plain(doc.Content[0])
	return Template{v}, err
}

func plain(n *yaml.Node) (v any, err error) {
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			key := strings.TrimPrefix(n.Content[i].Value, "Fn::")
			if _, twice := m[key]; twice {
				return nil, fmt.Errorf("stack: line %d: %s is there twice", n.Content[i].Line, key)
			}
			if m[key], err = plain(n.Content[i+1]); err != nil {
				return nil, err
			}
		}
		v = m
	case yaml.SequenceNode:
		items := []any{}
		for _, c := range n.Content {
			item, err := plain(c)
			if err != nil {
				return nil, err
			}
			items = append(items, item)
		}
		v = items
	case yaml.AliasNode:
		return plain(n.Alias)
	default:
		v = n.Value
	}
	if tag := n.Tag; strings.HasPrefix(tag, "!") && !strings.HasPrefix(tag, "!!") {
		v = map[string]any{tag[1:]: v}
	}
	return normal(v), nil
}

// normal writes the list of a GetAtt with a dot.
func normal(v any) any {
	parts, ok := At(v, "GetAtt").([]any)
	if m, _ := v.(map[string]any); ok && len(m) == 1 && len(parts) == 2 {
		return map[string]any{"GetAtt": Str(parts[0]) + "." + Str(parts[1])}
	}
	return v
}

// At follows keys into a tree. It returns nil if there is no value.
func At(v any, keys ...string) any {
	for _, key := range keys {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}

// Str is a value's text, "" of one that is no scalar.
func Str(v any) string { s, _ := v.(string); return s }

// List returns a list, or a single value as a list of one.
func List(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

// Keys are the keys of a mapping, in order.
func Keys(v any) []string {
	m, _ := v.(map[string]any)
	return slices.Sorted(maps.Keys(m))
}

// Text writes a value on one line, as YAML with short functions would.
func Text(v any) string {
	switch v := v.(type) {
	case nil:
		return "missing"
	case map[string]any:
		if len(v) == 1 {
			name := Keys(v)[0]
			if slices.Contains([]string{"Ref", "GetAtt", "Sub"}, name) {
				return "!" + name + " " + Text(v[name])
			}
		}
		var members []string
		for _, key := range Keys(v) {
			members = append(members, key+": "+Text(v[key]))
		}
		return "{" + strings.Join(members, ", ") + "}"
	case []any:
		var items []string
		for _, item := range v {
			items = append(items, Text(item))
		}
		return "[" + strings.Join(items, ", ") + "]"
	default:
		return fmt.Sprint(v)
	}
}

// Resources lists the logical IDs of the resources of a type, or of all if there is none.
func (t Template) Resources(kind string) (ids []string) {
	for _, id := range Keys(At(t.Root, "Resources")) {
		if kind == "" || t.Type(id) == kind {
			ids = append(ids, id)
		}
	}
	return ids
}

// Type is the type of a resource, "" if there is no such.
func (t Template) Type(id string) string { return Str(At(t.Root, "Resources", id, "Type")) }

// Properties are those of a resource.
func (t Template) Properties(id string) any { return At(t.Root, "Resources", id, "Properties") }

// Functions returns the properties of every function, including Globals, by logical ID.
func (t Template) Functions() map[string]map[string]any {
	functions := map[string]map[string]any{}
	for _, id := range t.Resources(functionType) {
		properties := map[string]any{"BuildMethod": At(t.Root, "Resources", id, "Metadata", "BuildMethod")}
		for _, from := range []any{At(t.Root, "Globals", "Function"), t.Properties(id)} {
			for _, key := range Keys(from) {
				properties[key] = At(from, key)
			}
		}
		functions[id] = properties
	}
	return functions
}

const functionType = "AWS::Serverless::Function"

// RolePolicies returns the policies that the template adds to the role of a function beside its own.
func (t Template) RolePolicies(function string) (policies []any) {
	for _, id := range t.Resources("AWS::IAM::RolePolicy") {
		if Text(At(t.Properties(id), "RoleName")) == "!Ref "+function+"Role" {
			policies = append(policies, At(t.Properties(id), "PolicyDocument"))
		}
	}
	return policies
}

// Folder returns the folder of a function's code: CatalogFunction is in functions/catalog.
func Folder(id string) string { return strings.ToLower(strings.TrimSuffix(id, "Function")) }

var placeholder = regexp.MustCompile(`\$\{([^!}][^}]*)\}`)

// Resolved returns a value's text in a deployment with these values of parameters, or else their defaults. The Ref of a
// resource is its logical ID.
func (t Template) Resolved(v any, samples map[string]string) string {
	ref := func(name string) string {
		if s, ok := samples[name]; ok {
			return s
		}
		if s := At(t.Root, "Parameters", name, "Default"); s != nil {
			return Str(s)
		}
		return name
	}
	if name := At(v, "Ref"); name != nil {
		return ref(Str(name))
	}
	if text := At(v, "Sub"); text != nil {
		return placeholder.ReplaceAllStringFunc(Str(text), func(s string) string { return ref(s[2 : len(s)-1]) })
	}
	if branches := List(At(v, "If")); len(branches) == 3 { // as the samples, which name what somebody has already
		return t.Resolved(branches[2], samples)
	}
	return Str(v)
}
