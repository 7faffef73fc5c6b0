package check

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"testing"
)

var (
	fenced     = regexp.MustCompile("(?ms)^```\n(.*?)^```")
	pathInCode = regexp.MustCompile(`(?m)(?:^|\s)(?:\./)?((?:functions|shared|infra|catalog)(?:/[\w.-]+)+)`)
	logged     = regexp.MustCompile("\\blogs?\\s+`([^`]+)`")
	makeInCode = regexp.MustCompile(`(?m)(?:^|\s)make ([a-z]+)`)
)

// checkCommands compares the commands of the documents with the files of the tree and the targets of the Makefile, and
// the log messages that they quote with the code.
func checkCommands(files map[string]string) (problems []string) {
	exists := func(file string) bool {
		for name := range files {
			if name == file || strings.HasPrefix(name, file+"/") {
				return true
			}
		}
		return false
	}
	for name, text := range files {
		if path.Ext(name) != ".md" {
			continue
		}
		for _, m := range logged.FindAllStringSubmatch(text, -1) {
			if message := strings.Join(strings.Fields(m[1]), " "); !says(files, message) {
				problems = append(problems, fmt.Sprintf("%s: nothing logs %q", name, message))
			}
		}
		for _, block := range fenced.FindAllStringSubmatch(text, -1) {
			for _, m := range pathInCode.FindAllStringSubmatch(block[1], -1) {
				if file := strings.TrimSuffix(m[1], "/..."); !exists(file) && !strings.Contains(block[1], "┌") {
					problems = append(problems, fmt.Sprintf("%s: a command names %s, which does not exist", name, file))
				}
			}
			for _, m := range makeInCode.FindAllStringSubmatch(block[1], -1) {
				if !strings.Contains(files["Makefile"], "\n"+m[1]+":") {
					problems = append(problems, fmt.Sprintf("%s: the target make %s does not exist", name, m[1]))
				}
			}
		}
	}
	return problems
}

// says reports whether Go code has a text.
func says(files map[string]string, text string) bool {
	for name, code := range files {
		if path.Ext(name) == ".go" && !strings.HasSuffix(name, "_test.go") && strings.Contains(code, text) {
			return true
		}
	}
	return false
}

func TestDocumentedCommandsExist(t *testing.T) { report(t, checkCommands(tracked(t))) }

func TestCommandCheckFinds(t *testing.T) {
	page := "It logs `mail sent`, then\nlogs `mail lost`.\n\n```\nmake run\nmake cake\ngo test ./shared/web/... " +
		"./shared/gone\n```\n\nmake sure, infra/other\n\n```\ninfra/x.sh go test\n```\n"
	finds(t, checkCommands(map[string]string{
		"README.md": page, "Makefile": ".PHONY: run\nrun: ## serve\n", "shared/web/web.go": `log.Info("mail sent")`,
	}), `nothing logs "mail lost"`, "the target make cake", "names shared/gone", "names infra/x.sh")
}
