package check

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

// tracked returns the text of every file in git, by its path from the root.
func tracked(t *testing.T) map[string]string {
	t.Helper()
	cmd := exec.Command("git", "ls-files", "-z")
	cmd.Dir = root
	names, err := cmd.Output()
	if err != nil {
		t.Skipf("not a checkout: git ls-files: %v", err)
	}
	files := map[string]string{}
	for _, name := range strings.Split(strings.TrimSuffix(string(names), "\x00"), "\x00") {
		data, err := os.ReadFile(path.Join(root, name))
		if os.IsNotExist(err) {
			continue // deleted and not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(data)
	}
	return files
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(path.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// report fails the test with each problem.
func report(t *testing.T, problems []string) {
	t.Helper()
	slices.Sort(problems)
	for _, p := range problems {
		t.Error(p)
	}
}

// finds fails the test unless there is exactly one problem for each of want, in any order.
func finds(t *testing.T, problems []string, want ...string) {
	t.Helper()
	for _, w := range want {
		i := slices.IndexFunc(problems, func(p string) bool { return strings.Contains(p, w) })
		if i < 0 {
			t.Errorf("got the problems %q, want %q", problems, w)
			continue
		}
		problems = slices.Delete(slices.Clone(problems), i, i+1)
	}
	if len(problems) > 0 {
		t.Errorf("got the extra problems %q", problems)
	}
}

var topLevel = []string{"Makefile", "README.md", "catalog", "functions", "go.mod", "go.sum", "infra", "shared",
	"template.yaml"}

// checkTopLevel: the root has exactly the agreed entries, besides dot files.
func checkTopLevel(names []string) (problems []string) {
	top := map[string]bool{}
	for _, name := range names {
		entry, _, _ := strings.Cut(name, "/")
		if !strings.HasPrefix(entry, ".") {
			top[entry] = true
		}
	}
	for _, entry := range topLevel {
		if !top[entry] {
			problems = append(problems, entry+" is missing at the top level")
		}
		delete(top, entry)
	}
	for entry := range top {
		problems = append(problems, entry+" does not belong at the top level")
	}
	return problems
}

// Texts that no file may contain are composed of pieces, because the check reads this file too.
var (
	registries = []string{
		"registry.npmjs." + "org", "registry.yarnpkg." + "com", "proxy.golang." + "org", "sum.golang." + "org",
		"pypi." + "org",
		"files.pythonhosted." + "org", "repo.maven.apache." + "org", "repo1.maven." + "org", "deb.debian." + "org",
		"security.debian." + "org", "archive.ubuntu." + "com", "crates." + "io", "rubygems." + "org", "docker." + "io",
		"ghcr." + "io", "quay." + "io",
	}
	leftover = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|X` + `XX)\b|(?i:\bnot implem` + `ented\b|\bst` +
		`ub(s|bed)?\b)`)
)

// checkText: no file names the host of a package registry or marks unfinished work.
func checkText(files map[string]string) (problems []string) {
	for name, text := range files {
		for _, host := range registries {
			if strings.Contains(text, host) {
				problems = append(problems, fmt.Sprintf("%s names the registry %s", name, host))
			}
		}
		if found := leftover.FindString(text); found != "" &&
			slices.Contains([]string{".go", ".yaml", ".sh", ".md", ""}, path.Ext(name)) {
			problems = append(problems, fmt.Sprintf("%s: unfinished: %s", name, found))
		}
	}
	return problems
}

func TestTopLevelHasTheAgreedEntries(t *testing.T) {
	var names []string
	for name := range tracked(t) {
		names = append(names, name)
	}
	report(t, checkTopLevel(names))
}

func TestTopLevelCheckFinds(t *testing.T) {
	names := append(slices.Clone(topLevel), ".gitignore", "util/util.go")
	finds(t, checkTopLevel(slices.DeleteFunc(names, func(n string) bool { return n == "Makefile" })),
		"Makefile is missing", "util does not belong")
}

func TestFilesNameNoRegistryAndNoUnfinishedWork(t *testing.T) {
	report(t, checkText(tracked(t)))
}

func TestTextCheckFinds(t *testing.T) {
	finds(t, checkText(map[string]string{
		"a.go":   "// TO" + "DO: more",
		"b.sh":   "curl https://" + registries[0] + "/x",
		"c.yaml": "Not implem" + "ented",
		"d.go":   "a st" + "ub of it",
		"e.go":   "// todos los santos; stubborn",
		"f.csv":  "X" + "XX", // data is exempt
	}), "a.go: unfinished", "b.sh names the registry", "c.yaml: unfinished", "d.go: unfinished")
}
