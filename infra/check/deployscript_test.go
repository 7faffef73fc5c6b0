package check

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestDeployBuildsTheCommit runs infra/deploy.sh in a repository of its own, with a SAM CLI that notes what it gets.
func TestDeployBuildsTheCommit(t *testing.T) {
	script, err := filepath.Abs("../deploy.sh")
	if err != nil {
		t.Fatal(err)
	}
	repo, tools := t.TempDir(), t.TempDir()
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	env := append(os.Environ(), "PATH="+tools+string(os.PathListSeparator)+os.Getenv("PATH"), "SITE_URL=",
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@vendor.example",
		"GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@vendor.example")
	run := func(name string, args ...string) (string, error) {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Dir, cmd.Env = repo, env
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	git := func(args ...string) {
		t.Helper()
		if out, err := run("git", args...); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	write(filepath.Join(tools, "sam"), "#!/bin/sh\necho sam $* site=$SITE_URL code=$(cat code) $(ls | tr '\\n' ' ')\n")
	git("init", "-q")
	for _, code := range []string{"one", "two"} {
		write(filepath.Join(repo, "code"), code)
		git("add", "code")
		git("commit", "-q", "-m", code)
	}
	write(filepath.Join(repo, "code"), "uncommitted")

	if out, err := run(script, "HEAD"); err == nil || !strings.Contains(out, "samconfig.toml") {
		t.Errorf("without samconfig.toml: got %v\n%s", err, out)
	}
	write(filepath.Join(repo, "samconfig.toml"), "parameter_overrides = \"\"\"\\\n  Stage=test \\\n"+
		"  SiteUrl=https://site.example.com \\\n  SiteUrl=\\\"https://site.example.com\\\" \\\n\"\"\"\n# SiteUrl=https://old.example.com\n")
	for commit, code := range map[string]string{"HEAD": "two", "HEAD~1": "one"} {
		out, err := run(script, commit)
		for _, want := range []string{
			"sam build --build-in-source site=https://site.example.com code=" + code + " code samconfig.toml",
			"sam deploy site= code=" + code,
		} {
			if err != nil || !strings.Contains(out, want) {
				t.Errorf("%s: got %v\n%s\nwant %s", commit, err, out, want)
			}
		}
	}
	if out, err := run(script, "HEAD~2"); err == nil || !strings.Contains(out, "there is no commit HEAD~2") ||
		strings.Contains(out, "sam") {
		t.Errorf("a commit that does not exist: got %v\n%s", err, out)
	}
	write(filepath.Join(tools, "sam"), "#!/bin/sh\necho sam $*\nexit 1\n")
	if out, err := run(script, "HEAD"); err == nil || strings.Contains(out, "sam deploy") {
		t.Errorf("a build that fails: got %v\n%s", err, out)
	}
}
