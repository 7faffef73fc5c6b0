package check

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// pkg is a package in the output of `go list`.
type pkg struct {
	ImportPath string
	Name       string
	Doc        string
	Standard   bool
	GoFiles    []string
	Imports    []string
	Deps       []string // all packages that it links
	Module     *struct{ Path string }
}

const module = "marketplace/"

// listed returns every package of the module, as compiled for Lambda, by its path from the root.
func listed(t *testing.T) map[string]pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-tags", "lambda.norpc", "-json=ImportPath,Name,Doc,GoFiles,Imports,Deps",
		"./...")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0", "GOWORK=off")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	packages := map[string]pkg{}
	for d := json.NewDecoder(out); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		packages[strings.TrimPrefix(p.ImportPath, module)] = p
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("go list: %v", err)
	}
	return packages
}

// layer returns a package's layer: it may import packages of its own and of lower layers (architecture.md, "Import
// directions").
func layer(name string) int {
	switch parts := strings.Split(name, "/"); {
	case parts[0] == "infra":
		return 6
	case parts[0] == "functions" && len(parts) == 2:
		return 5
	case parts[0] == "functions":
		return 4
	case wiring(name):
		return 3
	case name == "shared/fault":
		return 0
	case domain(name):
		return 1
	default:
		return 2
	}
}

// wiring reports whether a package opens external services, which only mains and infra may do.
func wiring(name string) bool {
	return within(name, "shared/cloud", "shared/table/dynamo", "shared/table/bolt", "shared/mail/ses",
		"shared/mail/outboxdir")
}

// domain reports whether a package is part of the domain, which knows neither HTTP nor AWS.
func domain(name string) bool {
	if name == "shared/marketplace" { // and not its preview, which is a page
		return true
	}
	return within(name, "catalog", "shared/fault", "shared/license", "shared/lazyregexp", "shared/atomicfile",
		"shared/properties", "shared/reminder", "shared/request", "shared/input", "shared/reference", "shared/customer",
		"shared/token", "shared/alarm", "shared/retention", "shared/officehours")
}

func within(name string, folders ...string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return name == f || strings.HasPrefix(name, f+"/") })
}

// knowsTable reports whether a package may import the table: the store, which turns its errors into faults, and the
// packages that open it.
func knowsTable(name string) bool {
	return layer(name) >= 5 || within(name, "shared/store", "shared/table", "shared/cloud")
}

// function returns the folder of the function that a package belongs to, or "".
func function(name string) string {
	if parts := strings.Split(name, "/"); parts[0] == "functions" && len(parts) > 1 {
		return parts[1]
	}
	return ""
}

func awsSDK(importPath string) bool {
	return within(importPath, "github.com/aws/aws-sdk-go-v2", "github.com/aws/smithy-go")
}

// checkImports: packages import only lower layers.
func checkImports(packages map[string]pkg) (problems []string) {
	for name, p := range packages {
		for _, imported := range p.Imports {
			other, ours := strings.CutPrefix(imported, module)
			switch {
			case !ours && awsSDK(imported) && !within(name, "shared/table/dynamo", "shared/mail/ses", "shared/cloud"):
				problems = append(problems, fmt.Sprintf("%s imports the AWS SDK: %s", name, imported))
			case domain(name) && within(imported, "net/http"):
				problems = append(problems, fmt.Sprintf("%s imports %s: a domain package", name, imported))
			case !ours && within(imported, "github.com/aws/aws-lambda-go") && layer(name) < 5 &&
				name != "shared/lambdahttp":
				problems = append(problems, fmt.Sprintf("%s imports %s, which is for mains", name, imported))
			case !ours:
			case within(other, "shared/table") && !knowsTable(name):
				problems = append(problems, fmt.Sprintf("%s imports %s, which only the store knows", name, other))
			case layer(other) > layer(name):
				problems = append(problems, fmt.Sprintf("%s imports %s, of a higher layer", name, other))
			case wiring(other) && !wiring(name) && layer(name) < 5:
				problems = append(problems, fmt.Sprintf("%s imports %s, which is for mains", name, other))
			case function(name) != "" && function(other) != "" && function(name) != function(other):
				problems = append(problems, fmt.Sprintf("%s imports another function's %s", name, other))
			}
		}
	}
	return problems
}

// storesMail reports the packages that keep what to tell and what was reported, without knowing how a letter says it.
func storesMail(name string) bool {
	return within(name, "shared/store", "functions/mailevents/feedback", "functions/reminders")
}

// checkLinked: functions link nothing unnecessary, directly or indirectly.
func checkLinked(packages map[string]pkg) (problems []string) {
	for name, p := range packages {
		for _, dep := range p.Deps {
			why := ""
			switch {
			case function(name) == "catalog" && (awsSDK(dep) || dep == "html/template" || dep == "text/template" ||
				dep == "github.com/andybalholm/brotli" || dep == "time/tzdata"):
				why = "it would slow down the catalog's cold start"
			case storesMail(name) && (dep == "html/template" ||
				within(dep, module+"catalog", module+"shared/mail/letter")):
				why = "letters are written when they are sent (decision 16)"
			case buildsSchemas(name, dep):
				why = "it builds schemas at every cold start (decision 12)"
			case function(name) != "" && !mayLink(function(name), dep):
				why = "only the functions in clients use it"
			case function(name) != "" && (dep == "testing" ||
				within(dep, "github.com/aws/aws-sdk-go-v2/service/lambda", "github.com/aws/aws-sdk-go-v2/service/sqs",
					"go.etcd.io/bbolt", module+"infra", module+"shared/table/tabletest",
					"github.com/aws/aws-sdk-go-v2/config", "pgregory.net/rapid", "github.com/PuerkitoBio/goquery",
					"github.com/chromedp")):
				why = "it is for tests or operators"
			}
			if why != "" {
				problems = append(problems, fmt.Sprintf("%s links %s: %s", name, dep, why))
			}
		}
	}
	return problems
}

// clients are the clients of the SDK that only some functions link.
var clients = map[string][]string{
	"kms":            {"console", "bridge"},
	"s3":             {"console"},
	"secretsmanager": {"console", "account"},
}

// mayLink reports whether a function may link a package, if that belongs to one of the clients.
func mayLink(function, dep string) bool {
	service, isAWS := strings.CutPrefix(dep, "github.com/aws/aws-sdk-go-v2/service/")
	service, _, _ = strings.Cut(service, "/")
	return !isAWS || clients[service] == nil || slices.Contains(clients[service], function)
}

// buildsSchemas reports whether a function that answers browsers links the schemas of an AWS client. The console may
// link those of KMS: its budget includes them (decision 15).
func buildsSchemas(name, dep string) bool {
	service, isAWS := strings.CutPrefix(dep, "github.com/aws/aws-sdk-go-v2/service/")
	if !isAWS || path.Base(dep) != "schemas" {
		return false
	}
	return slices.Contains([]string{"requests", "account"}, function(name)) ||
		function(name) == "console" && service != "kms/schemas"
}

// checkPackages: a package's name is a subject, and its comment says what it is for.
func checkPackages(packages map[string]pkg) (problems []string) {
	for name, p := range packages {
		if slices.Contains([]string{"util", "utils", "common", "helper", "helpers", "types", "models", "misc", "base"},
			path.Base(name)) {
			problems = append(problems, name+" is not named after a subject")
		}
		want := "Package " + p.Name + " "
		if p.Name == "main" {
			want = "Command " + path.Base(name) + " "
		}
		if len(p.GoFiles) > 0 && !strings.HasPrefix(p.Doc, want) {
			problems = append(problems, fmt.Sprintf("%s: its comment does not begin with %q", name, want))
		}
	}
	return problems
}

func TestPackagesImportOnlyLowerLayers(t *testing.T) { report(t, checkImports(listed(t))) }

func TestProgramsLinkOnlyWhatTheyNeed(t *testing.T) { report(t, checkLinked(listed(t))) }

func TestPackagesHaveSubjectsAndComments(t *testing.T) { report(t, checkPackages(listed(t))) }

func TestImportCheckFinds(t *testing.T) {
	imports := func(names ...string) pkg { return pkg{Imports: names} }
	finds(t, checkImports(map[string]pkg{
		"shared/fault":            imports("marketplace/shared/license"),
		"shared/license":          imports("marketplace/shared/store", "marketplace/shared/fault"),
		"shared/store":            imports("marketplace/shared/table", "marketplace/shared/table/bolt"),
		"shared/web":              imports("marketplace/functions/requests/site", "marketplace/shared/table"),
		"catalog":                 imports("marketplace/infra/local"),
		"catalog/prepare":         imports("net/http"),
		"shared/request":          imports("github.com/aws/smithy-go/time", "net/url"),
		"shared/cloud/awsprofile": imports("github.com/aws/aws-sdk-go-v2/config", "marketplace/shared/table/dynamo"),
		"functions/requests/site": imports("marketplace/shared/cloud", "marketplace/functions/catalog/api",
			"github.com/aws/aws-lambda-go/events"),
		"functions/requests": imports("marketplace/shared/cloud", "marketplace/functions/requests/site",
			"github.com/aws/aws-lambda-go/lambda"),
		"functions/mailer": imports("marketplace/infra/local"),
		"infra/local": imports("marketplace/functions/requests/site",
			"github.com/aws/aws-sdk-go-v2/aws"),
		"shared/table/dynamo": imports("github.com/aws/aws-sdk-go-v2/service/dynamodb",
			"marketplace/shared/table"),
		"functions/reminders/daily":  imports("marketplace/shared/table/dynamo", "marketplace/shared/table"),
		"functions/mailevents/event": imports("marketplace/functions/mailer"),
	}),
		"shared/fault imports shared/license, of a higher layer",
		"shared/license imports shared/store, of a higher layer",
		"shared/store imports shared/table/bolt, of a higher layer",
		"shared/web imports functions/requests/site, of a higher layer",
		"shared/web imports shared/table, which only the store knows",
		"catalog imports infra/local, of a higher layer",
		"catalog/prepare imports net/http: a domain package",
		"shared/request imports the AWS SDK",
		"functions/requests/site imports shared/cloud, which is for mains",
		"functions/requests/site imports another function's functions/catalog/api",
		"functions/requests/site imports github.com/aws/aws-lambda-go/events, which is for mains",
		"functions/mailer imports infra/local, of a higher layer",
		"infra/local imports the AWS SDK",
		"functions/reminders/daily imports shared/table/dynamo, which only the store knows",
		"functions/reminders/daily imports shared/table, which only the store knows",
		"functions/mailevents/event imports functions/mailer, of a higher layer",
	)
}

func TestLinkCheckFinds(t *testing.T) {
	const services = "github.com/aws/aws-sdk-go-v2/service/"
	finds(t, checkLinked(map[string]pkg{
		"functions/catalog": {Deps: []string{"net/http", "html/template", "github.com/aws/aws-sdk-go-v2/aws",
			"time/tzdata"}},
		"functions/requests": {Deps: []string{"html/template", "go.etcd.io/bbolt", "testing",
			services + "dynamodb/schemas"}},
		"functions/console": {Deps: []string{services + "s3", services + "kms/schemas",
			services + "dynamodb/schemas"}},
		"functions/account": {Deps: []string{services + "secretsmanager/types", services + "kms/types",
			services + "dynamodb/schemas"}},
		"functions/bridge": {Deps: []string{services + "kms/schemas", services + "secretsmanager"}},
		"functions/mailer": {Deps: []string{services + "ses/schemas", services + "kms", services + "secretsmanager",
			services + "sqs"}},
		"functions/mailevents": {Deps: []string{services + "lambda/types", "html/template", "marketplace/catalog",
			"marketplace/shared/mail/letter"}},
		"infra/local":  {Deps: []string{"go.etcd.io/bbolt"}},
		"shared/store": {Deps: []string{"html/template", "marketplace/shared/mail"}},

		"functions/mailevents/feedback": {Deps: []string{"marketplace/catalog"}},
		"functions/reminders/daily": {Deps: []string{"marketplace/shared/mail/letter",
			"marketplace/shared/license"}},
	}),
		"shared/store links html/template", "functions/mailevents/feedback links marketplace/catalog",
		"functions/reminders/daily links marketplace/shared/mail/letter",
		"functions/catalog links html/template", "functions/catalog links time/tzdata",
		"functions/catalog links github.com/aws/aws-sdk-go-v2/aws",
		"functions/requests links go.etcd.io/bbolt", "functions/requests links testing",
		"functions/requests links "+services+"dynamodb/schemas", "functions/console links "+services+"dynamodb/schemas",
		"functions/account links "+services+"kms/types", "functions/account links "+services+"dynamodb/schemas",
		"functions/bridge links "+services+"secretsmanager",
		"functions/mailer links "+services+"sqs", "functions/mailevents links "+services+"lambda/types",
		"functions/mailer links "+services+"kms", "functions/mailer links "+services+"secretsmanager")
}

func TestPackageCheckFinds(t *testing.T) {
	finds(t, checkPackages(map[string]pkg{
		"shared/util":       {Name: "util", Doc: "Package util helps.", GoFiles: []string{"a.go"}},
		"shared/license":    {Name: "license", GoFiles: []string{"a.go"}},
		"functions/catalog": {Name: "main", Doc: "Package main is it.", GoFiles: []string{"main.go"}},
		"functions/mailer":  {Name: "main", Doc: "Command mailer sends.", GoFiles: []string{"main.go"}},
		"infra/only/tests":  {Name: "tests"},
	}), "shared/util is not named after a subject", "shared/license: its comment", "functions/catalog: its comment")
}
