package check

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	accountsignin "marketplace/functions/account/signin"
	"marketplace/functions/catalog/api"
	"marketplace/functions/console/signin"
	"marketplace/infra/stack"
	"marketplace/shared/alarm"
	"marketplace/shared/config"
	"marketplace/shared/table"
)

// folder returns the folder of a function's code: CatalogFunction is in functions/catalog.
var folder = stack.Folder

// checkFunctions: every folder with a main is a function of the template and vice versa, with a target in the Makefile
// and a log group with a retention.
func checkFunctions(t template, folders []string, makefile string) (problems []string) {
	functions := t.functions()
	for _, name := range folders {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(functions)), func(id string) bool {
			return folder(id) == name
		}) {
			problems = append(problems, fmt.Sprintf("functions/%s is not a function of the template", name))
		}
	}
	for id, f := range functions {
		if !slices.Contains(folders, folder(id)) {
			problems = append(problems, fmt.Sprintf("%s: there is no functions/%s/main.go", id, folder(id)))
		}
		for key, want := range map[string]string{"BuildMethod": "makefile", "Runtime": "provided.al2023",
			"Handler": "bootstrap", "CodeUri": "."} {
			if str(f[key]) != want {
				problems = append(problems, fmt.Sprintf("%s: %s is %v, not %s", id, key, f[key], want))
			}
		}
		if !slices.Equal(list(f["Architectures"]), []any{"arm64"}) {
			problems = append(problems, id+" is not for arm64")
		}
		log := at(t.root, "Resources", str(at(f["LoggingConfig"], "LogGroup", "Ref")))
		if at(log, "Type") != "AWS::Logs::LogGroup" || at(log, "Properties", "RetentionInDays") == nil {
			problems = append(problems, id+" has no log group with a retention of its own")
		}
		if want := fmt.Sprintf("\nbuild-%s: MAIN := ./functions/%s\n", id, folder(id)); !strings.Contains(makefile,
			want) {
			problems = append(problems, fmt.Sprintf("Makefile: no line %q", strings.TrimSpace(want)))
		}
	}
	for _, target := range makeTargets(makefile, "LAMBDAS") {
		if id := strings.TrimPrefix(target, "build-"); functions[id] == nil {
			problems = append(problems, fmt.Sprintf("Makefile: %s does not build a function of the template", target))
		}
	}
	return problems
}

// makeTargets returns the words of a variable in the Makefile.
func makeTargets(makefile, variable string) []string {
	joined := strings.ReplaceAll(makefile, "\\\n", "")
	m := regexp.MustCompile(`(?m)^` + variable + ` := (.*)$`).FindStringSubmatch(joined)
	if m == nil {
		return nil
	}
	return strings.Fields(m[1])
}

// checkEnvironment: a function gets the variables of config that its main reads, with values that config accepts, and
// none that are for tests. mains has the text of each main by its folder.
func checkEnvironment(t template, mains map[string]string) (problems []string) {
	for id, f := range t.functions() {
		main := "functions/" + folder(id) + "/main.go"
		variables := at(f["Environment"], "Variables")
		given, read := keysOf(variables), variablesRead(mains[folder(id)])
		for _, name := range read {
			if !slices.Contains(given, name) && !strings.HasSuffix(name, "_ENDPOINT") &&
				!slices.Contains(config.Secrets, name) {
				problems = append(problems, fmt.Sprintf("%s: %s reads %s, which the template does not set", id, main,
					name))
			}
		}
		if slices.Contains(read, "TIME_ZONE") && !slices.Contains(literals(mains[folder(id)]), "time/tzdata") {
			problems = append(problems, id+": "+main+" reads TIME_ZONE and links no time zones; the runtime has none")
		}
		for _, name := range given {
			switch {
			case !slices.Contains(read, name):
				problems = append(problems, fmt.Sprintf("%s: %s does not read %s", id, main, name))
			case strings.HasSuffix(name, "_ENDPOINT"):
				problems = append(problems, fmt.Sprintf("%s: %s is for tests", id, name))
			case slices.Contains(config.Secrets, name):
				problems = append(problems, fmt.Sprintf("%s: %s is a secret in its environment", id, name))
			}
		}
		required := slices.DeleteFunc(slices.Clone(given), func(name string) bool { // what a parameter may leave empty
			parameter, ok := at(variables, name, "Ref").(string)
			return ok && at(t.root, "Parameters", parameter, "Default") == ""
		})
		if _, err := config.Load(func(name string) string {
			return t.resolved(at(variables, name))
		}, required...); err != nil {
			problems = append(problems, fmt.Sprintf("%s: %v", id, err))
		}
	}
	return problems
}

// variablesRead returns the configuration variables that a main names or whose field of Config it uses.
func variablesRead(main string) (names []string) {
	said := literals(main)
	for _, v := range config.Variables {
		if slices.Contains(said, v.Name) || strings.Contains(main, "."+field(v)) {
			names = append(names, v.Name)
		}
	}
	return names
}

// field returns the field of Config that a variable sets.
func field(v config.Variable) string {
	known := [2]string{v.Name, v.Default}
	if name, ok := fieldsKnown.Load(known); ok {
		return name.(string)
	}
	name := findField(v)
	fieldsKnown.Store(known, name)
	return name
}

// fieldsKnown are the fields that field found, by a variable's name and default: finding one loads a dozen
// configurations, and every seeded fault asks for all of them.
var fieldsKnown sync.Map

func findField(v config.Variable) string {
	none, _ := config.Load(func(string) string { return "" })
	for _, value := range []string{"https://a.example", "a@a.example", "{}", "a", "off", "7d", "requests 90d",
		"Asia/Tokyo", "Mon 10:00-16:00", "12-25", "#0b5a87", strings.Repeat("0", 64)} {
		c, err := config.Load(func(name string) string { return map[string]string{v.Name: value}[name] })
		for f, set := range reflect.ValueOf(c).Fields() {
			unset := reflect.ValueOf(none).FieldByIndex(f.Index)
			if err == nil && !reflect.DeepEqual(set.Interface(), unset.Interface()) {
				return f.Name
			}
		}
	}
	return "of no value"
}

func literals(source string) (found []string) {
	f, err := parser.ParseFile(token.NewFileSet(), "", source, 0)
	if err != nil {
		return nil
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			s, _ := strconv.Unquote(lit.Value)
			found = append(found, s)
		}
		return true
	})
	return found
}

// checkSender: the sender of every email is of the domain that SES signs for, so that DKIM aligns, and the mailer may
// use no other. A parameter with a whole address could be of another domain.
func checkSender(t template) (problems []string) {
	const address = "${MailFromUser}@${MailIdentity}"
	mailer := t.functions()["MailerFunction"]
	if from := str(at(mailer["Environment"], "Variables", "MAIL_FROM", "Sub")); !strings.HasSuffix(from,
		" <"+address+">") {
		problems = append(problems, fmt.Sprintf("MAIL_FROM is %q, not at MailIdentity", from))
	}
	for _, policy := range list(mailer["Policies"]) {
		for _, statement := range list(at(policy, "Statement")) {
			allowed := at(statement, "Condition", "StringEquals", "ses:FromAddress")
			if allowed != nil && str(at(allowed, "Sub")) != address {
				problems = append(problems, "MailerFunction may send in another name than that of MAIL_FROM")
			}
		}
	}
	for _, name := range []string{"MailFromUser", "MailIdentity"} {
		pattern := str(at(t.root, "Parameters", name, "AllowedPattern"))
		if ok, err := regexp.MatchString(pattern, "a@a.example"); ok || err != nil {
			problems = append(problems, fmt.Sprintf("parameter %s allows a whole address", name))
		}
	}
	return problems
}

// checkParameters: a free-text parameter has a pattern, which the samples and defaults match.
func checkParameters(t template) (problems []string) {
	for _, name := range keysOf(at(t.root, "Parameters")) {
		p := at(t.root, "Parameters", name)
		if at(p, "Type") != "String" || at(p, "AllowedValues") != nil {
			continue
		}
		pattern, err := regexp.Compile("^(?:" + str(at(p, "AllowedPattern")) + ")$")
		if err != nil || at(p, "AllowedPattern") == nil {
			problems = append(problems, fmt.Sprintf("parameter %s has no AllowedPattern: %v", name, err))
			continue
		}
		if v := t.resolved(map[string]any{"Ref": name}); !pattern.MatchString(v) {
			problems = append(problems, fmt.Sprintf("parameter %s does not allow %q", name, v))
		}
	}
	return problems
}

// area is the part of the site that a function has for itself: its home and everything below it.
type area struct {
	function, home string
	routes         []string // patterns of http.ServeMux
}

// paths are those by which the template sends everything to the function.
func (a area) paths() []string { return []string{"ANY " + a.home, "ANY " + a.home + "/{proxy+}"} }

// checkRoutes: the catalog function gets exactly its own paths, for every method; the functions with an area get its
// home and everything below it, which includes all their routes; the requests function gets the rest; a route with
// throttling of its own exists. siteRoutes are patterns of http.ServeMux.
func checkRoutes(t template, feedPatterns, siteRoutes []string, areas ...area) (problems []string) {
	// The template's variables match deeper paths too, so that none of them reaches the requests function.
	shape := func(path string) string { return regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(path, "*") }
	routes, catch := map[string]bool{}, ""
	got := map[string]bool{}
	own := map[string]area{}
	for _, a := range areas {
		own[a.function] = a
		for _, pattern := range a.routes {
			if _, path, _ := strings.Cut(pattern, " "); path != a.home && !strings.HasPrefix(path, a.home+"/") {
				problems = append(problems, fmt.Sprintf("%s: %s is not below %s", a.function, pattern, a.home))
			}
		}
	}
	for id, f := range t.functions() {
		for _, name := range keysOf(f["Events"]) {
			event := at(f["Events"], name)
			if at(event, "Type") != "HttpApi" {
				continue
			}
			method, path := str(at(event, "Properties", "Method")), str(at(event, "Properties", "Path"))
			switch {
			case path == "":
				catch += id
			case id == "CatalogFunction":
				got[shape(path)] = true
				if method != "ANY" {
					problems = append(problems, fmt.Sprintf("%s: %s is only for %s: every response needs CORS headers",
						id, path, method))
				}
				if strings.HasSuffix(path, "}") && !strings.HasSuffix(path, "+}") {
					problems = append(problems, fmt.Sprintf("%s: %s does not catch deeper paths", id, path))
				}
			case own[id].home != "":
				if !slices.Contains(slices.Concat(own[id].paths(), own[id].routes), method+" "+path) {
					problems = append(problems, fmt.Sprintf("%s: %s %s is none of its paths", id, method, path))
				}
			case !slices.Contains(siteRoutes, method+" "+path):
				problems = append(problems, fmt.Sprintf("%s: %s %s is not a route of the site", id, method, path))
			}
			routes[method+" "+path] = true
		}
	}
	if catch != "RequestsFunction" {
		problems = append(problems, fmt.Sprintf("requests without a route go to %q", catch))
	}
	for _, a := range areas {
		for _, path := range a.paths() {
			if !routes[path] {
				problems = append(problems, fmt.Sprintf("%s does not get %s", a.function, path))
			}
		}
	}
	for _, pattern := range feedPatterns {
		if !got[shape(pattern)] {
			problems = append(problems, fmt.Sprintf("CatalogFunction does not get %s", pattern))
		}
		delete(got, shape(pattern))
	}
	for path := range got {
		problems = append(problems, fmt.Sprintf("CatalogFunction gets %s, for which it has no route", path))
	}
	for _, key := range keysOf(at(t.root, "Resources", "Api", "Properties", "RouteSettings")) {
		if !routes[key] {
			problems = append(problems, fmt.Sprintf("Api: %s has settings but is not a route", key))
		}
	}
	return problems
}

// deployed is the template and the code that it has to match.
type deployed struct {
	text     string
	folders  []string          // of functions with a main
	mains    map[string]string // their text
	makefile string
	site     []string // patterns of the requests function
	console  area
	account  area
	table    map[string]any
	actions  map[string]touched // permissions that each function needs, by folder
	rows     []table.Row        // that the functions create

	code string // of all functions, and of what is watched

	page, operations string // infra/docs/stack.md and operations.md
	edge             string // infra/edge.yaml
}

func deployment(t *testing.T) deployed {
	t.Helper()
	d := deployed{
		text: read(t, "template.yaml"), makefile: read(t, "Makefile"), mains: map[string]string{},
		site: literals(read(t, "functions/requests/site/routes.go")),
		page: read(t, "infra/docs/stack.md"), operations: read(t, operationsFile),
		edge: read(t, "infra/edge.yaml"),
	}
	d.console = area{function: "ConsoleFunction", home: signin.Home,
		routes: patternsIn(read(t, "functions/console/site/routes.go"))}
	for _, path := range []string{signin.Home, signin.SignInPath, signin.CallbackPath, signin.SignOutPath,
		signin.SignedOutPath} {
		d.console.routes = append(d.console.routes, "GET "+path)
	}
	d.account = area{function: "AccountFunction", home: accountsignin.Home,
		routes: patternsIn(read(t, "functions/account/site/routes.go"))}
	for _, route := range accountsignin.New(accountsignin.Options{}).Routes() {
		d.account.routes = append(d.account.routes, route.Pattern)
	}
	mains, err := filepath.Glob(filepath.Join(root, "functions", "*", "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range mains {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		folder := filepath.Base(filepath.Dir(name))
		d.folders = append(d.folders, folder)
		d.mains[folder] = string(text)
	}
	for name, text := range tracked(t) {
		if within(name, "functions", "shared/alarm") && strings.HasSuffix(name, ".go") &&
			!strings.HasSuffix(name, "_test.go") {
			d.code += text
		}
	}
	d.table = tableMade(t)
	d.actions, d.rows = usage(t)
	return d
}

// patternsIn lists the patterns of http.ServeMux that a file has.
func patternsIn(source string) (patterns []string) {
	for _, text := range literals(source) {
		if strings.Contains(text, " /") {
			patterns = append(patterns, text)
		}
	}
	return patterns
}

func (d deployed) check(tpl template) (problems []string) {
	return slices.Concat(checkFunctions(tpl, d.folders, d.makefile), checkEnvironment(tpl, d.mains),
		checkParameters(tpl), checkSender(tpl),
		checkRoutes(tpl, api.Patterns(), d.site, d.console, d.account), checkTable(tpl, d.table),
		checkPermissions(tpl, d.actions),
		checkPartitions(tpl, d.actions), checkWaking(tpl, d.rows), checkAlarms(tpl, alarm.Rules),
		checkPublished(alarm.Rules, d.code))
}

func TestTemplateMatchesTheCode(t *testing.T) {
	d := deployment(t)
	tpl, err := parseTemplate(d.text)
	if err != nil {
		t.Fatal(err)
	}
	report(t, d.check(tpl))
}

// TestTemplateCheckFinds changes the template for each check.
func TestTemplateCheckFinds(t *testing.T) {
	d := deployment(t)
	for _, tt := range []struct{ old, new, want string }{
		{"  MailerFunction:\n", "  PostmanFunction:\n", "there is no functions/postman/main.go"},
		{"Metadata: {BuildMethod: makefile}", "Metadata: {BuildMethod: go1.x}", "BuildMethod is go1.x"},
		{"Architectures: [arm64]", "Architectures: [x86_64]", "is not for arm64"},
		{"LoggingConfig: {LogGroup: !Ref CatalogLog}", "", "CatalogFunction has no log group"},
		{"          SES_CONFIGURATION_SET: !Ref MailConfigurationSet\n", "",
			"MailerFunction: functions/mailer/main.go reads SES_CONFIGURATION_SET"},
		{"          MAIL_FROM", "          SES_ENDPOINT: https://ses.example.com\n          MAIL_FROM", "SES_ENDPOINT is for tests"},
		{"          CONSOLE_SECRET: !Ref ConsoleSecret\n", "          SESSION_KEYS: !Ref ConsoleSecret\n",
			"ConsoleFunction: SESSION_KEYS is a secret in its environment"},
		{"          PACKAGES_URL: !Ref PackagesUrl\n", "          TABLE_NAME: !Ref Table\n",
			"CatalogFunction: functions/catalog/main.go does not read TABLE_NAME"},
		{"          MAIL_FROM: !Sub ${MailFromName} <${MailFromUser}@${MailIdentity}>\n", "",
			"MailerFunction: functions/mailer/main.go reads MAIL_FROM"},
		{"!Sub ${MailFromName} <${MailFromUser}@${MailIdentity}>", "!Sub ${MailFromName} ${MailFromUser}@${MailIdentity}", "config: MAIL_FROM="},
		{"<${MailFromUser}@${MailIdentity}>", "<licensing@x.example>", "not at MailIdentity"},
		{`ses:FromAddress: !Sub "${MailFromUser}@${MailIdentity}"`, "ses:FromAddress: licensing@x.example",
			"may send in another name"},
		{"    AllowedPattern: ^[a-z0-9-]+(\\.[a-z0-9-]+)+$\n", "    AllowedPattern: ^\\S+$\n",
			"parameter MailIdentity allows a whole address"},
		{"          SITE_URL: !Ref SiteUrl\n", "          SITE_URL: licenses.example.com\n", "config: SITE_URL="},
		{"    AllowedPattern: ^https://[^?#\\s]*[^/?#\\s]$\n", "", "parameter SiteUrl has no AllowedPattern"},
		{"Default: Editions and Licenses", "Default: Editions <Licenses>", "parameter MailFromName does not allow"},
		{"Path: /editions.json", "Path: /edition.json", "CatalogFunction does not get /editions.json"},
		{"Method: ANY, Path: /catalog.json", "Method: GET, Path: /catalog.json", "/catalog.json is only for GET"},
		{"Path: \"/downloads/{proxy+}\"", "Path: \"/downloads/{file}\"", "does not catch deeper paths"},
		{"        POST /request/{edition}:\n", "        POST /requests:\n",
			"POST /requests has settings but is not a route"},
		{"Method: POST, Path: /api/license-requests", "Method: POST, Path: /api/licenses",
			"POST /api/licenses is not a route of the site"},
		{"Properties: {ApiId: !Ref Api}\n", "Properties: {ApiId: !Ref Api, Method: ANY, Path: /x}\n",
			`requests without a route go to ""`},
		{"{AttributeName: expires, Enabled: true}", "{AttributeName: ttl, Enabled: true}", "TimeToLiveSpecification"},
		{"StreamViewType: KEYS_ONLY", "StreamViewType: NEW_IMAGE", "StreamSpecification"},
		{"{AttributeName: SK, KeyType: RANGE}", "{AttributeName: sk, KeyType: RANGE}", "KeySchema"},
		{"    DeletionPolicy: RetainExceptOnCreate\n", "", "is deleted with the stack"},
		{"    Type: AWS::KMS::Key\n    DeletionPolicy: RetainExceptOnCreate\n", "    Type: AWS::KMS::Key\n",
			"EvaluationKey is deleted with the stack"},
		{"Path: /console}", "Path: /consoles}", "ConsoleFunction: ANY /consoles is none of its paths"},
		{"Path: /console}", "Path: /consoles}", "ConsoleFunction does not get ANY /console"},
		{"Path: /account}", "Path: /accounts}", "AccountFunction does not get ANY /account"},
		{"Method: POST, Path: /account/signin", "Method: POST, Path: /account/sign-in",
			"AccountFunction: POST /account/sign-in is none of its paths"},
		{"Action: kms:Sign", "Action: kms:Decrypt", "ConsoleFunction may not kms:Sign"},
		{"RoleName: !Ref BridgeFunctionRole", "RoleName: !Ref AccountFunctionRole", "AccountFunction may kms:Sign"},
		{"Resource: !Ref AccountSecret", "Resource: \"*\"",
			"AccountFunction may secretsmanager:GetSecretValue on every resource"},
		{"RoleName: !Ref ConsoleFunctionRole", "RoleName: !Ref MailerFunctionRole", "MailerFunction may kms:Sign"},
		{"Action: s3:PutObject", "Action: s3:DeleteObject", "ConsoleFunction may not s3:PutObject"},
		{"Action: [dynamodb:UpdateItem, dynamodb:DeleteItem]", "Action: [dynamodb:UpdateItem, dynamodb:Scan]",
			"RequestsFunction may dynamodb:Scan"},
		{"Action: [dynamodb:UpdateItem, dynamodb:DeleteItem]", "Action: dynamodb:UpdateItem",
			"RequestsFunction may not dynamodb:DeleteItem"},
		{"                    - EMAIL-REQUESTS#*\n", "", "the partition EMAIL-REQUESTS#"},
		{"                    - LICENSE#*\n", "", "the partition LICENSE#"},
		{"                    - UNTOLD\n", "                    - UNTOLD\n                    - EMAIL#*\n",
			"no call touches EMAIL#*"},
		{"OUTBOX#2#*", "OUTBOX#1#*", "the partition OUTBOX#2#"},
		{"                    - AUDIT#*#customer\n", "", "#customer is not allowed"},
		{"AUDIT#*#customer", "AUDIT#*", "AUDIT#<day>#colleague is allowed, which only others touch"},
		{"REFERENCE#R-*", "REFERENCE#*", "REFERENCE#C-… is allowed, which only others touch"},
		{"QUEUE#received###", "QUEUE#*", "QUEUE#issued### is allowed, which only others touch"},
		{"- UNTOLD", "- \"*\"", "CUSTOMER#… is allowed, which only others touch"},
		{`"Null": {dynamodb:LeadingKeys: "false"}`, "StringEquals: {aws:RequestedRegion: x}",
			"requests that name no partition are allowed"},
		{"Action: ses:SendRawEmail", "Action: ses:SendEmail", "MailerFunction may not ses:SendRawEmail"},
		{"Resource: !GetAtt Table.Arn", `Resource: "*"`, "on every resource"},
		{`"OUTBOX#1#"`, `"MAIL#"`, "wakes nobody"},
		{`"OUTBOX#2#"`, `"MAIL#"`, "wakes nobody"},
		{`"OUTBOX#2#"`, `"OUTBOX#"`, "wakes MailerFunction"},
		{`"S":["BRIDGES"]`, `"S":["BRIDGE"]`, "wakes nobody"},
		{`"S":["BRIDGES"]`, `"S":["BRIDGES", {"prefix":"REQUEST#"}]`, "wakes BridgeFunction"},
	} {
		t.Run(tt.want, func(t *testing.T) {
			if !strings.Contains(d.text, tt.old) {
				t.Fatalf("template.yaml does not contain %q any more", tt.old)
			}
			tpl, err := parseTemplate(strings.Replace(d.text, tt.old, tt.new, 1))
			if err != nil {
				t.Fatal(err)
			}
			problems := d.check(tpl)
			if !slices.ContainsFunc(problems, func(p string) bool { return strings.Contains(p, tt.want) }) {
				t.Errorf("got the problems %q, want %q", problems, tt.want)
			}
		})
	}
}

func TestTemplateCheckFindsOmissions(t *testing.T) {
	d := deployment(t)
	tpl, err := parseTemplate(d.text)
	if err != nil {
		t.Fatal(err)
	}
	finds(t, checkFunctions(tpl, append(d.folders, "extra"), d.makefile), "functions/extra is not a function")
	finds(t, checkFunctions(tpl, d.folders, "\nLAMBDAS := build-NoFunction\n"), "build-AccountFunction",
		"build-BridgeFunction", "build-CatalogFunction",
		"build-ConsoleFunction", "build-MailEventsFunction", "build-MailerFunction",
		"build-RemindersFunction", "build-RequestsFunction", "build-NoFunction does not build a function")
	withoutZones := map[string]string{}
	for folder, text := range d.mains {
		withoutZones[folder] = strings.Replace(text, `_ "time/tzdata"`, "", 1)
	}
	var want []string
	for _, name := range []string{"Account", "Bridge", "Console", "Mailer", "Reminders", "Requests"} {
		main := "functions/" + strings.ToLower(name) + "/main.go"
		want = append(want, name+"Function: "+main+" reads TIME_ZONE and links no time zones")
	}
	finds(t, checkEnvironment(tpl, withoutZones), want...)
	d.console.routes = append(d.console.routes, "GET /elsewhere")
	finds(t, checkRoutes(tpl, append(api.Patterns(), "/more.json"), d.site, d.console, d.account),
		"CatalogFunction does not get /more.json", "GET /elsewhere is not below /console")
}
