package check

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"marketplace/infra/runtimeapi"
	"marketplace/shared/config"
)

// tableUnder returns the rows of the Markdown table under a heading, each a list of cells.
func tableUnder(text, heading string) (rows [][]string) {
	_, section, _ := strings.Cut(text, "\n## "+heading+"\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for _, line := range strings.Split(section, "\n") {
		if !strings.HasPrefix(line, "|") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, cells)
	}
	if len(rows) < 2 {
		return nil
	}
	return rows[2:] // the head and its rule
}

// names returns what is between backquotes in the first cells.
func names(rows [][]string) (found []string) {
	for _, row := range rows {
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[0], -1) {
			found = append(found, m[1])
		}
	}
	return found
}

// differ says what is in only one of two lists.
func differ(file, what string, documented, real []string) (problems []string) {
	for _, name := range documented {
		if !slices.Contains(real, name) {
			problems = append(problems, fmt.Sprintf("%s: %s %s does not exist", file, what, name))
		}
	}
	for _, name := range real {
		if !slices.Contains(documented, name) {
			problems = append(problems, fmt.Sprintf("%s: %s %s is missing", file, what, name))
		}
	}
	return problems
}

// checkReadme compares the table of README.md with the folders of the tree.
func checkReadme(readme string, folders []string) []string {
	return differ("README.md", "the folder", names(tableUnder(readme, "Layout")), folders)
}

const operationsFile = "infra/docs/operations.md"

// checkOperations compares the tables of operations.md with the variables and their meanings, and with the targets that
// `make` lists.
func checkOperations(page, makefile string, variables []config.Variable) (problems []string) {
	configuration := tableUnder(page, "Configuration")
	var known []string
	for _, v := range variables {
		known = append(known, v.Name)
		i := slices.IndexFunc(configuration, func(row []string) bool { return row[0] == "`"+v.Name+"`" })
		if i >= 0 && !slices.Contains(configuration[i], v.Doc) {
			problems = append(problems, fmt.Sprintf("%s: the variable %s does not mean %q", operationsFile, v.Name,
				v.Doc))
		}
	}
	problems = append(problems, differ(operationsFile, "the variable", names(configuration), known)...)

	var targets []string
	for _, m := range regexp.MustCompile(`(?m)^([a-z-]+):.*## `).FindAllStringSubmatch(makefile, -1) {
		targets = append(targets, "make "+m[1])
	}
	return append(problems, differ(operationsFile, "the target", names(tableUnder(page, "Make targets")), targets)...)
}

// folders returns the folders that README.md describes: catalog and shared as a whole, the others one by one.
func folders(t *testing.T) []string {
	all := map[string]bool{}
	for name := range tracked(t) {
		switch parts := strings.Split(name, "/"); {
		case parts[0] == "catalog" || parts[0] == "shared":
			all[parts[0]] = true
		case len(parts) > 2 && !strings.HasPrefix(parts[0], "."):
			all[parts[0]+"/"+parts[1]] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

func TestReadmeListsTheFolders(t *testing.T) {
	report(t, checkReadme(read(t, "README.md"), folders(t)))
}

func TestOperationsTablesMatchTheCode(t *testing.T) {
	report(t, checkOperations(read(t, operationsFile), read(t, "Makefile"), config.Variables))
}

func TestReadmeCheckFinds(t *testing.T) {
	const readme = `# X

## Layout

| path | what |
|---|---|
| ` + "`catalog`" + ` | the catalog |
| ` + "`infra/gone`" + ` | was here |
`
	finds(t, checkReadme(readme, []string{"catalog", "infra/check"}),
		"the folder infra/gone does not exist", "the folder infra/check is missing")
}

func TestOperationsCheckFinds(t *testing.T) {
	const page = `# X

## Make targets

| target | what |
|---|---|
| ` + "`make run`" + ` | serve |
| ` + "`make cake`" + ` | bake |

## Configuration

| variable | meaning |
|---|---|
| ` + "`SITE_URL`" + ` | An old meaning. |
| ` + "`TABLE_NAME`" + ` | The table. |
| ` + "`NOBODY_READS`" + ` | Nothing. |
`
	variables := []config.Variable{{Name: "SITE_URL", Doc: "The site."}, {Name: "TABLE_NAME", Doc: "The table."},
		{Name: "MAIL_FROM"}}
	finds(t, checkOperations(page, "run: ## serve\nlint: x ## lint\nbuild-x: y\n", variables),
		"the target make cake does not exist", "the target make lint is missing",
		`the variable SITE_URL does not mean "The site."`, "the variable NOBODY_READS does not exist",
		"the variable MAIL_FROM is missing")
}

// Tests and the benchmark build functions with infra/runtimeapi, a deployment with the Makefile.
func TestFunctionsAreBuiltOneWay(t *testing.T) {
	makefile := read(t, "Makefile")
	for _, flag := range runtimeapi.BuildFlags() {
		if !strings.Contains(makefile, " "+flag+" ") && !strings.Contains(makefile, "'"+flag+"'") {
			t.Errorf("Makefile: functions are not built with %s", flag)
		}
	}
}
