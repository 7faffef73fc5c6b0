package stack

import (
	"regexp"
	"strings"
)

// refused are values that a parameter must not take.
var refused = map[string][]string{
	"Stage": {"", "Production", "a b", "a_b"},
	"SiteUrl": {"", "http://a.example", "https://a.example/", "https://a.example?x", "https://a.example#x",
		"a.example"},
	"PackagesUrl":       {"", "http://a.example", "https://a.example/", "https://a.example?x"},
	"MailIdentity":      {"", "example", "a@example.com", "https://example.com", "example.com."},
	"MailFromUser":      {"", "a@b", "a b"},
	"MailFromName":      {"", "A <a@b>", `A "B"`, "A\nB"},
	"SalesEmail":        {"", "sales", "a@b", "a@b.example,c@d.example"},
	"AlarmEmail":        {"sales", "a@b"},
	"PublicMailDomains": {"a@b.example", "A.example"},
	"ExtraReminders":    {"7", "7d;0d", "7d,", "1m"},
	"Retention":         {"requests 180", "requests 180d,letters 13m", "mails 1m", "audit 3y"},
	"TimeZone":          {"", "Europe/Zürich", "Europe /Zurich", "/UTC"},
	"OfficeHours":       {"", "Mon-Fri", "09:00-17:00", "Mon-Fri 09:00-17:00;"},
	"Holidays":          {"Christmas", "12/25", "12-25;12-26"},
	"VendorName":        {`A "B"`, "A <B>"},
	"ProductName":       {"", `A "B"`},
	"LogoUrl":           {"http://a.example/a.svg", "//a.example/a.svg", "logo.svg", "https://a.example;b/x"},
	"BrandColor":        {"blue", "#fff", "0b5a87"},
	"SupportEmail":      {"support", "a@b"},
	"SupportUrl":        {"http://a.example", "https://a.example?x"},
	"TermsUrl":          {"http://a.example", "https://a.example#x"},
	"LicenseKeys":       {`{"keys":[]}`, "a b", `"a"`},
	"OidcIssuer":        {"http://a.example", "https://a.example/"},
	"OidcClientId":      {"a b"},
	"CertificateArn":    {"arn:aws:acm:eu-central-1:123456789012:certificate/1", "a"},
	"WebAclArn":         {"arn:aws:wafv2:us-east-1:123456789012:regional/webacl/a/b", "a"},
	"OriginZone":        {"origin", "https://a.example", "*.a.example"},
	"OriginLabel":       {"api", "a.b"},
	"OriginSecret":      {"a b", "a:b"},
	"OriginKeys":        {"a", "secret", "0123"},
}

// checkParameters: each parameter is said on the page with its default, is described, and refuses what would fail only
// in a function.
func checkParameters(c *checker) {
	var rows []string
	for _, name := range Keys(At(c.Template.Root, "Parameters")) {
		p := At(c.Template.Root, "Parameters", name)
		c.only(name, p, "Type", "Description", "Default", "AllowedPattern", "AllowedValues", "ConstraintDescription",
			"MaxLength", "MinLength", "MinValue", "MaxValue")
		c.is(name, p, "Type", "String", "Number")
		c.want(Str(At(p, "Description")) != "", name, "it is not described")
		value := "required"
		if d, ok := At(p, "Default").(string); ok {
			value = "`" + d + "`"
			if d == "" {
				value = "empty"
			}
		}
		allowed := "–"
		if values := At(p, "AllowedValues"); values != nil {
			allowed = strings.Trim(Text(values), "[]")
		}
		rows = append(rows, strings.Join([]string{"`" + name + "`", value, allowed}, " | "))
		pattern, err := regexp.Compile("^(?:" + Str(At(p, "AllowedPattern")) + ")$")
		if err != nil {
			c.add(name, "its pattern: %v", err)
			continue
		}
		for _, bad := range refused[name] {
			c.want(At(p, "AllowedPattern") != nil && !pattern.MatchString(bad), name, "it takes %q", bad)
		}
	}
	c.rows("Parameters", rows)
	c.only("template.yaml", c.Template.Root, "AWSTemplateFormatVersion", "Transform", "Description", "Parameters",
		"Conditions", "Globals", "Resources", "Outputs", "Mappings", "Rules", "Metadata")
	c.is("template.yaml", c.Template.Root, "Transform", "AWS::Serverless-2016-10-31")
	c.is("template.yaml", c.Template.Root, "AWSTemplateFormatVersion", "2010-09-09")
}

// checkOutputs: people and tools ask the stack for the outputs of the page.
func checkOutputs(c *checker) {
	var rows []string
	for _, name := range Keys(At(c.Template.Root, "Outputs")) {
		o := At(c.Template.Root, "Outputs", name)
		c.only(name, o, "Description", "Value", "Condition")
		c.want(Str(At(o, "Description")) != "", name, "it is not described")
		rows = append(rows, "`"+name+"` | `"+Text(At(o, "Value"))+"`")
	}
	c.rows("Outputs", rows)
}
