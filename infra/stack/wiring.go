package stack

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"

	"marketplace/shared/config"
)

// optional are the options that a Lambda leaves at their zero value, by package and field, some for one function only.
var optional = map[string][]string{
	"api.Options":         {"Dir"}, // of packages, on a laptop
	"store.Options":       {"NewID", "Random"},
	"signin.Options":      {"RolesClaim", "Client"},
	"packagestore.Bucket": {"Temp"},
	"dispatch.Options":    {"AtOnce", "Sleep"},
	"daily.Options":       {"AtOnce"},
	// What SES reports promises nobody a reply.
	"mailevents store.Options": {"Hours"},
}

// mayLack are variables without which a function works, so that its main does not insist on them.
var mayLack = []string{"BUNDLE_URL", "SES_CONFIGURATION_SET", "PUBLIC_MAIL_DOMAINS", "EXTRA_REMINDERS",
	"CONSOLE_SECRET", "HASH_SECRET", "ACCOUNT_SECRET", "ORIGIN_KEYS", "HOLIDAYS", "RETENTION",
	"VENDOR_NAME", "LOGO_URL", "BRAND_COLOR", "SUPPORT_EMAIL", "SUPPORT_URL", "TERMS_URL"}

// meanings are the options that each field of config.Config may become, where they are not called the same.
var meanings = map[string][]string{
	"SiteURL": {"URL"}, "PackagesURL": {"Packages"}, "BundleURL": {"URL"}, "SalesEmail": {"Sales"},
	"MailFrom": {"From"}, "SESConfigurationSet": {"ConfigurationSet"}, "LicenseKeys": {"Keys"},
	"PackagesBucket": {"Bucket.Name"}, "ConsoleSecret": {"Options.Name"}, "AccountSecret": {"Options.Name"},
	"OIDCIssuer": {"Issuer"}, "OIDCClientID": {"ClientID"}, "OriginKeys": {"Origin"}, "Retention": {"Audit"},
}

// checkWiring: a main reads its configuration and insists on what the template sets and it cannot do without, sets
// every option of the packages that it wires, each with the field of the configuration that it is meant for, and starts
// one handler.
func checkWiring(c *checker) {
	for id, f := range c.Template.Functions() {
		text, where := c.Mains[Folder(id)], "functions/"+Folder(id)+"/main.go"
		file, err := parser.ParseFile(token.NewFileSet(), where, text, parser.SkipObjectResolution)
		if err != nil {
			c.add(where, "%v", err)
			continue
		}
		m := &main{c: c, where: where, imports: map[string]string{}}
		for _, spec := range file.Imports {
			p, _ := strconv.Unquote(spec.Path.Value)
			name := path.Base(p)
			if spec.Name != nil {
				name = spec.Name.Name
			}
			m.imports[name] = strings.TrimPrefix(p, "marketplace/")
		}
		ast.Inspect(file, m.visit)
		m.checkMain(file)
		c.want(m.started == 1, where, "it starts %d handlers, want one", m.started)
		c.want(!m.loaded || m.fatal > 0, where, "it goes on without a configuration")
		c.want(m.loaded, where, "it does not read its configuration with os.Getenv")
		c.want(len(events(f, "HttpApi")) == 0 || strings.Contains(text, "lambdahttp.New(") || id == "CatalogFunction",
			where, "it does not answer the API through lambdahttp")
		c.want(!slices.Contains(m.needed, "SITE_URL") || strings.Contains(text, checksSite), where,
			"it starts with the catalog of another site")
		for _, name := range Keys(At(f["Environment"], "Variables")) {
			known := slices.IndexFunc(config.Variables, func(v config.Variable) bool { return v.Name == name })
			if known < 0 {
				c.add(id, "config does not know %s", name)
				continue
			}
			optional := config.Variables[known].Default != "" || slices.Contains(mayLack, name)
			insists := id != "CatalogFunction" && !optional
			c.want(!insists || slices.Contains(m.needed, name), where, "it starts without %s", name)
		}
		for _, name := range m.needed {
			given := At(f["Environment"], "Variables", name) != nil
			c.want(given, where, "it insists on %s, which the template does not set", name)
			hasDefault := slices.ContainsFunc(config.Variables, func(v config.Variable) bool {
				return v.Name == name && v.Default != ""
			})
			c.want(!hasDefault, where, "it insists on %s, which has a default", name)
		}
	}
}

// checksSite ends a program whose catalog was built for another site than SITE_URL.
const checksSite = "if err := builtin.Check(c.SiteURL); err != nil {\n\t\tlog.Fatal(err)\n"

// main is what a main.go says.
type main struct {
	c              *checker
	where          string
	imports        map[string]string // paths by name
	needed         []string          // variables that it insists on
	loaded         bool
	fatal, started int
}

func (m *main) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.CallExpr:
		switch name := dotted(n.Fun); name {
		case "config.Load":
			m.loaded = len(n.Args) > 0 && dotted(n.Args[0]) == "os.Getenv"
			for _, arg := range n.Args[1:] {
				if lit, ok := arg.(*ast.BasicLit); ok {
					s, _ := strconv.Unquote(lit.Value)
					m.needed = append(m.needed, s)
				}
			}
		case "lambda.Start":
			m.started++
		case "log.Fatal", "log.Fatalf":
			m.fatal++
		case "logging.New", "slog.NewJSONHandler":
			m.c.want(len(n.Args) > 0 && dotted(n.Args[0]) == "os.Stdout", m.where,
				"%s does not write to standard output", name)
			m.c.want(name != "logging.New" || len(n.Args) > 1 && strings.HasPrefix(dotted(n.Args[1]), "c"), m.where,
				"its log lines do not name the stage")
		}
	case *ast.CompositeLit:
		m.options(n)
	}
	return true
}

// options compares a literal of a package's options with all that there are.
func (m *main) options(lit *ast.CompositeLit) {
	expression := lit.Type
	if index, ok := expression.(*ast.IndexExpr); ok {
		expression = index.X
	}
	name, kind, _ := strings.Cut(dotted(expression), ".")
	folder := m.imports[name]
	if kind == "" || !strings.HasPrefix(folder, "shared/") && !strings.HasPrefix(folder, "functions/") &&
		!strings.HasPrefix(folder, "catalog") {
		return
	}
	set := map[string]bool{}
	for _, e := range lit.Elts {
		field, ok := e.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		key := dotted(field.Key)
		set[key] = true
		m.value(kind, key, field.Value)
	}
	for _, field := range m.c.Fields(folder, kind) {
		left := slices.Contains(optional[name+"."+kind], field) ||
			slices.Contains(optional[path.Base(path.Dir(m.where))+" "+name+"."+kind], field)
		m.c.want(set[field] || left, m.where, "it does not set %s.%s.%s", name, kind, field)
	}
}

// value checks that an option gets the field of the configuration that it is meant for.
func (m *main) value(kind, key string, value ast.Expr) {
	ast.Inspect(value, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit, *ast.FuncLit:
			return false
		case *ast.SelectorExpr:
			of, field, _ := strings.Cut(dotted(n), ".")
			meant := slices.Contains(meanings[field], key) || slices.Contains(meanings[field], kind+"."+key)
			if of != "c" || field == key || meant {
				return true
			}
			m.c.want(!m.c.isConfig(field), m.where, "%s.%s is c.%s", kind, key, field)
		}
		return true
	})
}

// isConfig reports whether the configuration has a field with a meaning of its own.
func (c *checker) isConfig(field string) bool {
	return slices.Contains(c.Fields("shared/config", "Config"), field) && !slices.Contains([]string{"Stage",
		"SESEndpoint", "DynamoDBEndpoint"}, field)
}

// FieldsOf lists the exported fields of a struct type in a package's files.
func FieldsOf(files []string, kind string) (fields []string) {
	for _, text := range files {
		file, err := parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution)
		if err != nil {
			continue
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok || spec.Name.Name != kind {
				return true
			}
			if s, ok := spec.Type.(*ast.StructType); ok {
				for _, f := range s.Fields.List {
					for _, name := range f.Names {
						if name.IsExported() {
							fields = append(fields, name.Name)
						}
					}
				}
			}
			return false
		})
	}
	return fields
}

// dotted writes a name or a.b.
func dotted(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return dotted(e.X) + "." + e.Sel.Name
	}
	return ""
}
