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

// tableUnder gives the rows of the Markdown table under a heading, each a list of cells.
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

// names gives what stands between backquotes in the first cells.
func names(rows [][]string) (found []string) {
	for _, row := range rows {
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[0], -1) {
			found = append(found, m[1])
		}
	}
	return found
}

// differ tells what is only in one of two lists.
func differ(what string, documented, real []string) (problems []string) {
	for _, name := range documented {
		if !slices.Contains(real, name) {
			problems = append(problems, fmt.Sprintf("README.md: %s %s does not exist", what, name))
		}
	}
	for _, name := range real {
		if !slices.Contains(documented, name) {
			problems = append(problems, fmt.Sprintf("README.md: %s %s is missing", what, name))
		}
	}
	return problems
}

// checkReadme holds the tables of README.md against the variables with their meanings, the targets that `make` lists, and
// the folders.
func checkReadme(readme, makefile string, variables []config.Variable, folders []string) (problems []string) {
	configuration := tableUnder(readme, "Configuration")
	var known []string
	for _, v := range variables {
		known = append(known, v.Name)
		i := slices.IndexFunc(configuration, func(row []string) bool { return row[0] == "`"+v.Name+"`" })
		if i >= 0 && !slices.Contains(configuration[i], v.Doc) {
			problems = append(problems, fmt.Sprintf("README.md: the variable %s does not mean %q", v.Name, v.Doc))
		}
	}
	problems = append(problems, differ("the variable", names(configuration), known)...)

	var targets []string
	for _, m := range regexp.MustCompile(`(?m)^([a-z]+):.*## `).FindAllStringSubmatch(makefile, -1) {
		targets = append(targets, "make "+m[1])
	}
	problems = append(problems, differ("the target", names(tableUnder(readme, "Make targets")), targets)...)
	return append(problems, differ("the folder", names(tableUnder(readme, "Layout")), folders)...)
}

// folders are the rooms of the house: the domain and what functions share as a whole, the others one by one.
func folders(t *testing.T) []string {
	all := map[string]bool{}
	for name := range tracked(t) {
		switch parts := strings.Split(name, "/"); {
		case parts[0] == "catalog" || parts[0] == "shared":
			all[parts[0]] = true
		case len(parts) > 2:
			all[parts[0]+"/"+parts[1]] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

func TestReadmeTablesAreTrue(t *testing.T) {
	report(t, checkReadme(read(t, "README.md"), read(t, "Makefile"), config.Variables, folders(t)))
}

func TestReadmeCheckFinds(t *testing.T) {
	const readme = `# X

## Make targets

| target | what |
|---|---|
| ` + "`make run`" + ` | serve |
| ` + "`make cake`" + ` | bake |

## Configuration

| variable | meaning |
|---|---|
| ` + "`SITE_URL`" + ` | What it was once. |
| ` + "`TABLE_NAME`" + ` | The table. |
| ` + "`NOBODY_READS`" + ` | Nothing. |

## Layout

| path | what |
|---|---|
| ` + "`catalog`" + ` | the catalog |
| ` + "`infra/gone`" + ` | was here |
`
	variables := []config.Variable{{Name: "SITE_URL", Doc: "The site."}, {Name: "TABLE_NAME", Doc: "The table."}, {Name: "MAIL_FROM"}}
	finds(t, checkReadme(readme, "run: ## serve\nlint: x ## lint\nbuild-x: y\n", variables, []string{"catalog", "infra/check"}),
		"the target make cake does not exist", "the target make lint is missing",
		`the variable SITE_URL does not mean "The site."`, "the variable NOBODY_READS does not exist", "the variable MAIL_FROM is missing",
		"the folder infra/gone does not exist", "the folder infra/check is missing")
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
