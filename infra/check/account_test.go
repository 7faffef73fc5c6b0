package check

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	accountsignin "marketplace/functions/account/signin"
	"marketplace/functions/console/signin"
	"marketplace/shared/mail/letter"
)

// signers are the variables of functions that name keys for signing. Each key is in one of them.
var signers = map[string]string{"ConsoleFunction": "LICENSE_SIGNERS", "BridgeFunction": "BRIDGE_SIGNERS"}

// signerOf is the function whose variable names a key, with its Kid: a stage and a number.
func (t template) signerOf(key string) (function string) {
	named := regexp.MustCompile(`\$\{Stage\}-[a-z]+-\d+=\$\{` + key + `\.Arn\}`)
	for _, id := range slices.Sorted(maps.Keys(signers)) {
		if named.MatchString(str(at(t.functions()[id]["Environment"], "Variables", signers[id], "Sub"))) {
			function += id
		}
	}
	return function
}

// checkSigning: each license key has one function whose role alone signs with it. Administrators manage keys without
// signing, and without granting it; keys are told apart by stage; what others do is told.
func checkSigning(t template) (problems []string) {
	fail := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	rules := fmt.Sprint(t.properties("ForeignSigning"), t.properties("ForeignBridgeSigning"),
		t.properties("SigningKeyChange"))
	for _, id := range t.resources("AWS::KMS::Key") {
		signs, signer := false, t.signerOf(id)
		if signers[signer] == "" {
			fail("%s: its Kid has no stage and number in the variable of one function", id)
			continue
		}
		for _, s := range list(at(t.properties(id), "KeyPolicy", "Statement")) {
			held := at(s, "Condition", "ArnEquals", "aws:PrincipalArn", "GetAtt") == signer+"Role.Arn"
			for _, action := range list(at(s, "Action")) {
				switch action := str(action); {
				case held && action == "kms:Sign":
					signs = true
				case isLike("kms:Sign", action), isLike("kms:CreateGrant", action), isLike("kms:ReplicateKey", action):
					fail("%s: %s lets others than %s sign", id, action, signer)
				}
			}
		}
		if !signs {
			fail("%s: %s may not sign", id, signer)
		}
		if strings.Count(rules, id+".Arn") < 3 {
			fail("%s: nobody is told of foreign signing", id)
		}
	}
	return problems
}

// checkSignIn: the user pool admits whom an administrator invites, by password and authenticator, and gives the roles
// that the console knows. The console's client there has no secret.
func checkSignIn(t template) (problems []string) {
	want := func(got any, what, expected string) {
		if fmt.Sprint(got) != expected {
			problems = append(problems, fmt.Sprintf("%s is %v, want %s", what, got, expected))
		}
	}
	pool, client := t.properties("UserPool"), t.properties("UserPoolClient")
	want(at(pool, "AdminCreateUserConfig", "AllowAdminCreateUserOnly"), "AllowAdminCreateUserOnly", "true")
	want(at(pool, "MfaConfiguration"), "MfaConfiguration", "ON")
	want(at(pool, "EnabledMfas"), "EnabledMfas", "[SOFTWARE_TOKEN_MFA]")
	want(at(client, "GenerateSecret"), "GenerateSecret", "false")
	want(at(client, "AllowedOAuthFlows"), "AllowedOAuthFlows", "[code]")
	want(at(client, "AllowedOAuthScopes"), "AllowedOAuthScopes", "[openid email profile]")
	want(at(client, "CallbackURLs"), "CallbackURLs", "[map[Sub:${SiteUrl}"+signin.CallbackPath+"]]")
	want(at(client, "LogoutURLs"), "LogoutURLs", "[map[Sub:${SiteUrl}"+signin.SignedOutPath+"]]")
	var groups, roles []string
	for _, id := range t.resources("AWS::Cognito::UserPoolGroup") {
		groups = append(groups, str(at(t.properties(id), "GroupName")))
	}
	for role := signin.Viewer; role <= signin.Admin; role++ {
		roles = append(roles, role.String())
	}
	return append(problems, differ("template.yaml", "the group", groups, roles)...)
}

// checkMailIdentity: SES signs for the domain, and bounces come through the configuration set alone.
func checkMailIdentity(t template) (problems []string) {
	p := t.properties("MailDomain")
	for what, ok := range map[string]bool{
		"signs nothing":           at(p, "DkimAttributes", "SigningEnabled") == "true",
		"is another domain":       at(p, "EmailIdentity", "Ref") == "MailIdentity",
		"mails bounces as well":   at(p, "FeedbackAttributes", "EmailForwardingEnabled") == "false",
		"returns bounces to SES":  at(p, "MailFromAttributes", "MailFromDomain", "Sub") == "bounce.${MailIdentity}",
		"reports nothing":         at(p, "ConfigurationSetAttributes", "ConfigurationSetName", "Ref") == "MailConfigurationSet",
		"has records nobody sees": at(t.root, "Outputs", "MailDkimRecord3") != nil && at(t.root, "Outputs", "DmarcRecord") != nil,
	} {
		if !ok {
			problems = append(problems, "MailDomain "+what)
		}
	}
	return problems
}

// countedBy returns what a rule of the WebACL counts by address: requests of a method whose path is like a pattern, or
// is not.
func countedBy(rule any) func(method, target string) bool {
	limit := at(rule, "Statement", "RateBasedStatement")
	statements := list(at(limit, "ScopeDownStatement", "AndStatement", "Statements"))
	if len(statements) != 2 || at(limit, "AggregateKeyType") != "IP" {
		return nil
	}
	method := str(at(statements[0], "ByteMatchStatement", "SearchString"))
	but := at(statements[1], "NotStatement", "Statement", "RegexMatchStatement")
	only := regexp.MustCompile(str(at(statements[1], "RegexMatchStatement", "RegexString")))
	except := regexp.MustCompile(str(at(but, "RegexString")))
	return func(verb, target string) bool {
		return verb == method && only.MatchString(target) && (but == nil || !except.MatchString(target))
	}
}

// below reports whether a path is another one or deeper.
func below(path, above string) bool { return path == above || strings.HasPrefix(path, above+"/") }

// checkLimitPerAddress: the WebACL counts the forms of the public site and the account and the key check for each
// address, and nothing else: neither colleagues' forms nor what mail programs send (RFC 8058). Apart from these it
// counts the forms of signing in. It keeps no addresses of pages.
func checkLimitPerAddress(edge template, d deployed) (problems []string) {
	p := edge.properties("WebAcl")
	rules := list(at(p, "Rules"))
	if len(rules) != 2 || countedBy(rules[0]) == nil || countedBy(rules[1]) == nil {
		return []string{"WebAcl does not count by address"}
	}
	forms, signIns := countedBy(rules[0]), countedBy(rules[1])
	for _, route := range slices.Concat(d.site, d.account.routes, d.console.routes,
		[]string{"POST " + letter.StopPath}) {
		verb, target, ok := strings.Cut(route, " /")
		if !ok {
			continue
		}
		target = "/" + target
		free := target == letter.StopPath || slices.Contains(d.console.routes, route)
		if counted := forms(verb, target); counted != (verb == "POST" && !free) {
			problems = append(problems, fmt.Sprintf("WebAcl counts %s: %v", route, counted))
		}
		if counted := signIns(verb, target); counted != (verb == "POST" && below(target, accountsignin.SignInPath)) {
			problems = append(problems, fmt.Sprintf("WebAcl counts %s as signing in: %v", route, counted))
		}
	}
	body := str(at(p, "CustomResponseBodies", "TooMany", "Content"))
	if !strings.Contains(body, "<h1>") || at(p, "CustomResponseBodies", "TooMany", "ContentType") != "TEXT_HTML" {
		problems = append(problems, "WebAcl does not answer with a page")
	}
	if strings.Contains(fmt.Sprint(p), "SampledRequestsEnabled:true") {
		problems = append(problems, "WebAcl keeps samples, which hold private links")
	}
	for _, field := range list(at(edge.properties("SiteLogDelivery"), "RecordFields")) {
		if slices.Contains([]string{"c-ip", "x-forwarded-for", "cs-uri-stem", "cs-uri-query", "cs(Referer)", "cs(Cookie)",
			"cs(User-Agent)"}, str(field)) {
			problems = append(problems, fmt.Sprintf("SiteLogDelivery records %s", field))
		}
	}
	return problems
}

func TestAccountIsSetUpAsTheFunctionsExpect(t *testing.T) {
	d := deployment(t)
	edgeText := read(t, "infra/edge.yaml")
	check := func(text, edgeText string) []string {
		t.Helper()
		tpl, err := parseTemplate(text)
		if err != nil {
			t.Fatal(err)
		}
		edge, err := parseTemplate(edgeText)
		if err != nil {
			t.Fatal(err)
		}
		return slices.Concat(checkSigning(tpl), checkSignIn(tpl), checkMailIdentity(tpl),
			checkLimitPerAddress(edge, d))
	}
	report(t, check(d.text, edgeText))
	for _, tt := range []struct{ old, new, want string }{
		{"              - kms:Describe*\n", "              - kms:*\n", "EvaluationKey: kms:* lets others"},
		{"              - kms:Describe*\n", "              - kms:CreateGrant\n", "kms:CreateGrant lets others"},
		{"ArnEquals: {aws:PrincipalArn: !GetAtt ConsoleFunctionRole.Arn}", "ArnLike: {aws:PrincipalArn: \"*\"}",
			"EvaluationKey: ConsoleFunction may not sign"},
		{"ArnEquals: {aws:PrincipalArn: !GetAtt BridgeFunctionRole.Arn}",
			"ArnEquals: {aws:PrincipalArn: !GetAtt ConsoleFunctionRole.Arn}",
			"BridgeKey: kms:Sign lets others than BridgeFunction sign"},
		{"-bridge-1=${BridgeKey.Arn}\n", "-bridge-1=${ProductionKey.Arn}\n", "ProductionKey: its Kid has no stage"},
		{"  ForeignBridgeSigning:\n", "  OtherBridgeSigning:\n", "BridgeKey: nobody is told of foreign signing"},
		{"=${ProductionKey.Arn}\n", "=${EvaluationKey.Arn}\n", "ProductionKey: its Kid has no stage"},
		{"${Stage}-evaluation-1=", "evaluation-1=", "EvaluationKey: its Kid has no stage"},
		{"  ForeignSigning:\n", "  OtherSigning:\n", "nobody is told of foreign signing"},
		{"AllowAdminCreateUserOnly: true", "AllowAdminCreateUserOnly: false", "AllowAdminCreateUserOnly is false"},
		{`MfaConfiguration: "ON"`, `MfaConfiguration: "OPTIONAL"`, "MfaConfiguration is OPTIONAL"},
		{"GenerateSecret: false", "GenerateSecret: true", "GenerateSecret is true"},
		{"AllowedOAuthFlows: [code]", "AllowedOAuthFlows: [code, implicit]", "AllowedOAuthFlows is"},
		{`"${SiteUrl}/console/callback"`, `"${SiteUrl}/callback"`, "CallbackURLs is"},
		{"GroupName: sales", "GroupName: seller", "the group sales is missing"},
		{"EmailForwardingEnabled: false", "EmailForwardingEnabled: true", "mails bounces as well"},
		{"SigningEnabled: true", "SigningEnabled: false", "signs nothing"},
		{"SearchString: POST", "SearchString: GET", "WebAcl counts POST /licenses/check: false"},
		{"(console|reminders/stop)", "(console)", "WebAcl counts POST /reminders/stop: true"},
		{"(console|reminders/stop)", "(console|reminders/stop|request)", "WebAcl counts POST /request/{edition}: false"},
		{"^/account/signin(/|$)", "^/account(/|$)", "WebAcl counts POST /account/signout as signing in: true"},
		{"^/account/signin(/|$)", "^/account/sign-in(/|$)", "WebAcl counts POST /account/signin as signing in: false"},
		{"AggregateKeyType: IP", "AggregateKeyType: CONSTANT", "does not count by address"},
		{"TEXT_HTML", "TEXT_PLAIN", "does not answer with a page"},
		{"SampledRequestsEnabled: false", "SampledRequestsEnabled: true", "keeps samples"},
		{"RecordFields: [date,", "RecordFields: [cs-uri-stem,", "records cs-uri-stem"},
	} {
		if !strings.Contains(d.text+edgeText, tt.old) {
			t.Errorf("neither template contains %q any more", tt.old)
			continue
		}
		problems := check(strings.Replace(d.text, tt.old, tt.new, 1), strings.Replace(edgeText, tt.old, tt.new, 1))
		if !slices.ContainsFunc(problems, func(p string) bool { return strings.Contains(p, tt.want) }) {
			t.Errorf("%q: got the problems %q, want %q", tt.new, problems, tt.want)
		}
	}
}
