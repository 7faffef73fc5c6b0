package check

import (
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"marketplace/shared/token"
)

const tokensFile = "infra/docs/tokens.md"

// checkTokenKinds compares the table of tokens with the kinds of the code. declared are the kinds that shared/token
// declares, listed those in token.Kinds.
func checkTokenKinds(page string, declared, listed []string) (problems []string) {
	rows := tableUnder(page, "Kinds")
	for _, row := range rows {
		if len(row) != 5 || slices.Contains(row, "") {
			problems = append(problems, fmt.Sprintf("%s: the row %q does not say all of it", tokensFile, row[0]))
		}
	}
	problems = append(problems, differ(tokensFile, "the kind", names(rows), listed)...)
	return append(problems, differ("token.Kinds", "the kind", listed, declared)...)
}

// declaredKinds returns the values of the constants of type Kind in a file.
func declaredKinds(t *testing.T, name, text string) (kinds []string) {
	t.Helper()
	f, err := parser.ParseFile(gotoken.NewFileSet(), name, text, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			if typ, ok := spec.Type.(*ast.Ident); ok && typ.Name == "Kind" {
				value, _ := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
				kinds = append(kinds, value)
			}
		}
		return true
	})
	return kinds
}

// drawsOtherwise are the files outside shared/token that may use crypto/rand, or make a secret otherwise, and what for.
var drawsOtherwise = map[string]string{
	"functions/console/signin/flow.go": "the verifier of PKCE, in the form that RFC 7636 asks for",
	"shared/session/keys.go":           "keys that seal cookies: configuration",
	"infra/local/devidp/devidp.go":     "the key of the provider that stands in for Cognito",
	"infra/local/devidp/token.go":      "what Cognito makes in production: codes and access tokens",
	"infra/runlambda/cloud.go":         "certificates that only the functions of make run-lambda trust",
	"infra/runlambda/keys.go":          "keys that stand in for those of KMS",
	"shared/atomicfile/atomicfile.go":  "names of temporary files: no secret",
	"shared/license/pem.go":            "signing keys",
	"shared/license/sign.go":           "signatures",
	"shared/store/outbox/lease.go":     "the holder of a lease: no secret",
	"shared/store/store.go":            "IDs and short references: no secret",
	"shared/table/dynamo/transact.go":  "DynamoDB's idempotency token: no secret",
}

// checkTokenMakers: secrets are drawn in shared/token alone. Every exception is used.
func checkTokenMakers(files map[string]string, except map[string]string) (problems []string) {
	for name, text := range files {
		if path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") || strings.Contains(name, "/testdata/") ||
			path.Dir(name) == "shared/token" {
			continue
		}
		f, err := parser.ParseFile(gotoken.NewFileSet(), name, text, 0)
		if err != nil {
			problems = append(problems, err.Error())
			continue
		}
		makes := ""
		if localName(f, "crypto/rand") != "" {
			makes = "imports crypto/rand"
		}
		oauth := localName(f, "golang.org/x/oauth2")
		if oauth != "" && strings.Contains(text, oauth+".GenerateVerifier") {
			makes = "calls oauth2.GenerateVerifier"
		}
		_, excepted := except[name]
		switch {
		case makes != "" && !excepted:
			problems = append(problems, fmt.Sprintf("%s %s: make secrets with a kind of shared/token", name, makes))
		case makes == "" && excepted:
			problems = append(problems, name+" makes no secret: remove its exception")
		}
	}
	for name := range except {
		if _, ok := files[name]; !ok {
			problems = append(problems, name+" is an exception but does not exist")
		}
	}
	return problems
}

func TestEveryKindOfTokenHasARow(t *testing.T) {
	const source = "shared/token/token.go"
	var listed []string
	for _, k := range token.Kinds {
		listed = append(listed, string(k))
	}
	report(t, checkTokenKinds(read(t, tokensFile), declaredKinds(t, source, read(t, source)), listed))
}

func TestOnlyTheTokenPackageMakesTokens(t *testing.T) {
	report(t, checkTokenMakers(tracked(t), drawsOtherwise))
}

func TestTokenChecksFind(t *testing.T) {
	const page = "\n## Kinds\n\n| kind | opens | valid | who | where |\n|---|---|---|---|---|\n" +
		"| `form` | a | b | c | d |\n| `undo` | a | | c | d |\n| `gone` | a | b | c | d |\n"
	declared := declaredKinds(t, "token.go", "package token\nconst (\n\tForm Kind = \"form\"\n\tUndo Kind = \"undo\"\n"+
		"\tAnswer Kind = \"answer\"\n\tStatus Kind = \"status\"\n)\nconst Length = 26\n")
	finds(t, checkTokenKinds(page, declared, []string{"form", "undo", "answer"}),
		"the row \"`undo`\" does not say all of it", "gone", "answer", "status")
	finds(t, checkTokenMakers(map[string]string{
		"shared/token/token.go":   "package token\nimport \"crypto/rand\"\n",
		"shared/store/request.go": "package store\nimport r \"crypto/rand\"\nvar secret = r.Text()\n",
		"shared/store/store.go":   "package store\nimport \"crypto/rand\"\n",
		"shared/web/web.go":       "package web\nimport \"golang.org/x/oauth2\"\nvar v = oauth2.GenerateVerifier()\n",
		"shared/web/x_test.go":    "package web\nimport \"crypto/rand\"\n",
		"shared/mail/mail.go":     "package mail\nimport \"math/rand\"\n",
	}, map[string]string{"shared/store/store.go": "IDs", "shared/mail/mail.go": "x", "shared/gone.go": "x"}),
		"shared/store/request.go imports crypto/rand", "shared/web/web.go calls oauth2.GenerateVerifier",
		"shared/mail/mail.go makes no secret", "shared/gone.go is an exception but does not exist")
}
