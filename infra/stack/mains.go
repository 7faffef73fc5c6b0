package stack

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// passed are the calls, outside of options, that a field of the configuration may be an argument of: how each begins.
// A secret goes with what reads it, so that two of them cannot change places.
var passed = map[string][]string{
	"Stage":            {"logging.New"},
	"ConsoleSecret":    {"readSecret(c.ConsoleSecret, signin.ParseSecrets,"},
	"SessionKeys":      {"signin.NewSecrets(c.SessionKeys, c.OIDCClientSecret)"},
	"OIDCClientSecret": {"signin.NewSecrets(c.SessionKeys, c.OIDCClientSecret)"},
	"HashSecret":       {"readSecret(c.HashSecret, erasure.ParseKeys,"},
	"HashKey":          {"erasure.ParseKeys(c.HashKey)"},
	"AccountSecret":    {"secretstore.Client(os.Getenv).GetSecretValue("},
	"AccountKeys":      {"session.ParseKeys(c.AccountKeys)"},
	"LicenseKeys":      {"site.JSONKeys(", "signer.Issuer(signer.Client(os.Getenv), c.LicenseKeys, c."},
	"LicenseSigners":   {"signer.Issuer(signer.Client(os.Getenv), c.LicenseKeys, c.LicenseSigners)"},
	"BridgeSigners":    {"signer.Issuer(signer.Client(os.Getenv), c.LicenseKeys, c.BridgeSigners)"},
	"OriginKeys":       {"Behind("},
	"Retention":        {"audit.New("},
	"SalesEmail":       {"mail.AddressOf("},
	"MailFrom":         {"mail.AddressOf("},
	"SESEndpoint":      {"ses.LambdaClient("},
	"SiteURL":          {"builtin.Check("},
}

// always are the options that every main sets alike.
var always = map[string][]string{
	"Now":       {"time.Now", "kept.Now"},
	"Metrics":   {"os.Stdout"}, // CloudWatch reads these lines
	"BuiltIn":   {"builtin.Bundle"},
	"RequestID": {"lambdahttp.RequestID"},
	"Catalog":   {"catalogs.Get"},
}

// lambdaAnswer is the largest answer that Lambda passes on, in bytes; in JSON, a body of bytes is a third longer.
const lambdaAnswer = 6 << 20

// checkMain: a main has no value of its own, but passes on what the configuration says, and drops no error.
func (m *main) checkMain(file *ast.File) {
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.GenDecl:
			if d.Tok == token.CONST {
				m.constants(d)
			}
		case *ast.FuncDecl:
			m.body(d)
		}
	}
}

// constants: the largest answer is one that Lambda passes on.
func (m *main) constants(d *ast.GenDecl) {
	for _, spec := range d.Specs {
		v, ok := spec.(*ast.ValueSpec)
		if !ok || len(v.Names) != 1 || len(v.Values) != 1 || v.Names[0].Name != "exportLimit" {
			m.c.add(m.where, "no rule says what its constants have to be: add one to infra/stack")
			continue
		}
		got, err := types.Eval(token.NewFileSet(), nil, token.NoPos, types.ExprString(v.Values[0]))
		limit := constant.MakeInt64(lambdaAnswer / 4 * 3)
		m.c.want(err == nil && got.Value != nil && constant.Compare(got.Value, token.LEQ, limit), m.where,
			"exportLimit is more than Lambda answers")
	}
}

func (m *main) body(f *ast.FuncDecl) {
	var calls []string // that this point is an argument of, as they are written
	var parents []ast.Node
	ast.Inspect(f.Body, func(n ast.Node) bool {
		if n == nil {
			if _, ok := parents[len(parents)-1].(*ast.CallExpr); ok {
				calls = calls[:len(calls)-1]
			}
			parents = parents[:len(parents)-1]
			return true
		}
		parents = append(parents, n)
		switch n := n.(type) {
		case *ast.CallExpr:
			calls = append(calls, types.ExprString(n))
			for _, arg := range n.Args {
				m.c.want(dotted(arg) != "nil" || dotted(n.Fun) == "slog.NewJSONHandler", m.where, "%s gets nil",
					types.ExprString(n.Fun))
			}
		case *ast.AssignStmt:
			for _, left := range n.Lhs {
				m.c.want(dotted(left) != "_", m.where, "it drops a value, which may be an error")
			}
		case *ast.BasicLit:
			own := n.Kind == token.STRING && n.Value != `""` &&
				!slices.ContainsFunc(calls, func(s string) bool { return strings.HasPrefix(s, "config.Load(") })
			m.c.want(!own, m.where, "it says %s, which is for the configuration or for a package to say", n.Value)
		case *ast.CompositeLit:
			m.literal(n)
		case *ast.SelectorExpr:
			m.argument(n, calls, parents[:len(parents)-1])
		}
		return true
	})
}

// literal: no option is nil, those that are the same everywhere are so here, and each job runs under its own name.
func (m *main) literal(lit *ast.CompositeLit) {
	for _, e := range lit.Elts {
		field, ok := e.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		key, value := dotted(field.Key), types.ExprString(field.Value)
		m.c.want(value != "nil", m.where, "%s is nil", key)
		if want := always[key]; want != nil {
			m.c.want(slices.Contains(want, value), m.where, "%s is %s, want %s", key, value, want[0])
		}
		if name, ok := strings.CutPrefix(key, "jobs."); ok {
			m.c.want(strings.HasPrefix(value, strings.ToLower(name)+".New("), m.where, "%s runs %s", key, value)
		}
	}
}

// argument: a field of the configuration is an option, or goes where it is meant to. A comparison with "" asks whether
// the very secret is there that is then read.
func (m *main) argument(n *ast.SelectorExpr, calls []string, parents []ast.Node) {
	of, field, _ := strings.Cut(dotted(n), ".")
	if of != "c" || !slices.Contains(m.c.Fields("shared/config", "Config"), field) {
		return
	}
	for i := len(parents) - 1; i >= 0; i-- {
		switch p := parents[i].(type) {
		case *ast.BinaryExpr:
			m.c.want(p.Op == token.EQL && types.ExprString(p.Y) == `""`, m.where, "it asks whether %s",
				types.ExprString(p))
			return
		case *ast.KeyValueExpr: // value compares it with the name of the option
			return
		case *ast.CallExpr:
			call := calls[len(calls)-1]
			meant := slices.ContainsFunc(passed[field], func(s string) bool {
				return strings.HasPrefix(call, s) || strings.HasSuffix(types.ExprString(p.Fun)+"(", "."+s)
			})
			m.c.want(meant, m.where, "c.%s goes to %s", field, types.ExprString(p.Fun))
			return
		}
	}
}
