package stack

import (
	"regexp"
	"slices"
	"strings"
)

// values are those of the variables that do not come from the parameter of their name: SITE_URL is !Ref SiteUrl.
var values = map[string]string{
	"TABLE_NAME":            "!Ref Table",
	"PACKAGES_BUCKET":       "!Ref PackagesBucket",
	"BUNDLE_URL":            "!Sub ${PackagesUrl}/catalog/bundle.bin",
	"MAIL_FROM":             "!Sub ${MailFromName} <${MailFromUser}@${MailIdentity}>",
	"SES_CONFIGURATION_SET": "!Ref MailConfigurationSet",
	"LICENSE_SIGNERS": "!Sub ${Stage}-evaluation-1=${EvaluationKey.Arn}," +
		"${Stage}-production-1=${ProductionKey.Arn}",
	"BRIDGE_SIGNERS": "!Sub ${Stage}-bridge-1=${BridgeKey.Arn}",
	"OIDC_ISSUER": "{If: [HasUserPool, !Sub https://cognito-idp.${AWS::Region}.amazonaws.com/${UserPool}, " +
		"!Ref OidcIssuer]}",
	"OIDC_CLIENT_ID": "{If: [HasUserPool, !Ref UserPoolClient, !Ref OidcClientId]}",
}

// checkEnvironment: a variable has one meaning in all functions: the parameter of its name, or what values says.
func checkEnvironment(c *checker) {
	for id, f := range c.Template.Functions() {
		c.only(id+".Environment", f["Environment"], "Variables")
		variables := At(f["Environment"], "Variables")
		for _, name := range Keys(variables) {
			want := values[name]
			if want == "" {
				want = "!Ref " + camel(name)
			}
			c.is(id+".Environment", variables, name, want)
		}
	}
}

// camel writes SITE_URL as SiteUrl.
func camel(name string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(name, "_") {
		if word != "" {
			b.WriteString(word[:1] + strings.ToLower(word[1:]))
		}
	}
	return b.String()
}

// secretText looks like a secret: an access key, a private key, or long base64 or hexadecimal digits.
var (
	secretText = regexp.MustCompile(`AKIA[0-9A-Z]{16}|-----BEGIN|[A-Za-z0-9+/]{40,}={0,2}|[0-9a-f]{32,}`)
	secretName = regexp.MustCompile(`(?i)secret$|password|token|_keys$|api_?key`)
)

// checkSecrets: the template has no secret and no parameter has one as its default or would show it.
func checkSecrets(c *checker) {
	c.literals("template.yaml", c.Template.Root)
	for _, name := range Keys(At(c.Template.Root, "Parameters")) {
		p := At(c.Template.Root, "Parameters", name)
		hidden := At(p, "NoEcho") == "true"
		isSecret := regexp.MustCompile(`(?i)password|token|clientsecret|sessionkeys`).MatchString(name)
		c.want(!isSecret, name, "a secret is no parameter: everybody who may look at the stack reads it")
		c.want(!hidden, name, "NoEcho hides it in the stack alone, not in the functions")
		c.want(!secretName.MatchString(name) || Str(At(p, "Default")) == "", name, "a secret has no default")
	}
	for id, f := range c.Template.Functions() {
		for _, name := range Keys(At(f["Environment"], "Variables")) {
			v := At(f["Environment"], "Variables", name)
			public := slices.Contains([]string{"LICENSE_KEYS", "CONSOLE_SECRET", "HASH_SECRET", "ACCOUNT_SECRET",
				"ORIGIN_KEYS"}, name)
			c.want(public || !secretName.MatchString(name), id+"."+name,
				"a secret in the environment is seen by everybody who may look at the function")
			c.want(!strings.Contains(Text(v), "{{resolve:"), id+"."+name,
				"CloudFormation reads the secret once, at a deployment")
		}
	}
	for _, id := range c.Template.Resources("AWS::SecretsManager::Secret") {
		p := c.Template.Properties(id)
		c.only(id, p, "Description", "GenerateSecretString", "Tags", "KmsKeyId")
		made := At(p, "GenerateSecretString")
		c.only(id+".GenerateSecretString", made, "SecretStringTemplate", "GenerateStringKey", "PasswordLength",
			"ExcludePunctuation")
		c.is(id, made, "PasswordLength", "43") // letters and digits, 32 bytes in base64
		c.is(id, made, "ExcludePunctuation", "true")
		template := Str(At(made, "SecretStringTemplate"))
		c.want(!regexp.MustCompile(`:"[^"]`).MatchString(template), id, "its template %s has a value", template)
	}
	console := At(c.Template.Properties("ConsoleSecret"), "GenerateSecretString")
	c.is("ConsoleSecret", console, "GenerateStringKey", "session_keys")
	c.is("ConsoleSecret", console, "SecretStringTemplate", `{"client_secret":""}`)
	for _, id := range []string{"AccountSecret", "HashSecret"} { // the key is the whole text
		made := At(c.Template.Properties(id), "GenerateSecretString")
		c.is(id, made, "GenerateStringKey", "missing")
		c.is(id, made, "SecretStringTemplate", "missing")
	}
	// As long as the table, whose erased people its key recognizes.
	c.kept("HashSecret")
}

// literals looks for secrets in all texts.
func (c *checker) literals(where string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range Keys(v) {
			if key == "Description" || key == "AlarmDescription" {
				continue
			}
			c.literals(where+"."+key, v[key])
		}
	case []any:
		for _, item := range v {
			c.literals(where, item)
		}
	case string:
		if found := secretText.FindString(v); found != "" && !strings.Contains(found, "/") {
			c.add(where, "%.12s… looks like a secret", found)
		}
	}
}
