package check

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const architectureFile = "infra/docs/architecture.md"

// checkPackageList compares the list under "Packages" with the packages of the tree. A package of test helpers, xtest
// beside x, need not be listed.
func checkPackageList(page string, packages []string) (problems []string) {
	_, section, _ := strings.Cut(page, "\n## Packages\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var listed []string
	for _, item := range regexp.MustCompile(`(?m)^- [^:]*:`).FindAllString(section, -1) {
		for _, m := range regexp.MustCompile("`([a-z0-9/]+)`").FindAllStringSubmatch(item, -1) {
			listed = append(listed, m[1])
		}
	}
	for _, name := range listed {
		if !slices.Contains(packages, name) {
			problems = append(problems, fmt.Sprintf("%s lists the package %s, which does not exist", architectureFile,
				name))
		}
	}
	for _, name := range packages {
		helper := path.Base(name) == path.Base(path.Dir(name))+"test"
		if !helper && !slices.Contains(listed, name) {
			problems = append(problems, fmt.Sprintf("%s does not list the package %s", architectureFile, name))
		}
	}
	return problems
}

func TestArchitectureListsEveryPackage(t *testing.T) {
	report(t, checkPackageList(read(t, architectureFile), slices.Collect(maps.Keys(listed(t)))))
}

func TestPackageListCheckFinds(t *testing.T) {
	const page = "\n## Packages\n\n- `shared/input`, `shared/gone`: what `shared/other` needs.\n\n## More\n\n- " +
		"`shared/more`: x\n"
	finds(t, checkPackageList(page, []string{"shared/input", "shared/input/inputtest", "shared/web", "shared/other"}),
		"lists the package shared/gone", "does not list the package shared/web",
		"does not list the package shared/other")
}
