package check

import "marketplace/infra/stack"

// template is template.yaml as infra/stack reads it.
type template struct{ root any }

func parseTemplate(text string) (template, error) {
	t, err := stack.Parse(text)
	return template{t.Root}, err
}

var (
	at     = stack.At
	str    = stack.Str
	list   = stack.List
	keysOf = stack.Keys
)

// functions returns the properties of every function, including Globals, by logical ID.
func (t template) functions() map[string]map[string]any {
	return stack.Template{Root: t.root}.Functions()
}

// samples are values for the template's parameters, as in a deployment.
var samples = map[string]string{
	"SiteUrl": "https://licenses.example.com", "PackagesUrl": "https://cdn.example.com/packages", "MailIdentity": "example.com",
	"MailFromUser": "licensing", "SalesEmail": "sales@example.com",
	"OidcIssuer": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI", "OidcClientId": "client",
}

// resolved returns a value's text in a deployment with the samples. The Ref of a resource is its logical ID.
func (t template) resolved(v any) string { return stack.Template{Root: t.root}.Resolved(v, samples) }
