package main

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"marketplace/catalog"
	"marketplace/catalog/data"
	"marketplace/catalog/samplejar"
)

// TestKilledPublishLeavesOldOrNewWhole publishes again and again over the same folder, kills each run after a while
// that grows until runs finish, and looks at the folder each time.
func TestKilledPublishLeavesOldOrNewWhole(t *testing.T) {
	work := t.TempDir()
	metadata, jars, out := filepath.Join(work, "meta"), filepath.Join(work, "jars"), filepath.Join(work, "out")
	if err := os.CopyFS(metadata, data.Files); err != nil {
		t.Fatal(err)
	}
	m, err := catalog.Read(data.Files, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c, err := m.Catalog(catalog.Options{SiteURL: "https://site.example.com", Build: "1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(jars, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := samplejar.Write(jars, c.Jars()); err != nil {
		t.Fatal(err)
	}
	publish := func(build string) *exec.Cmd {
		return exec.Command("ops", "publish", "-metadata", metadata, "-site-url", "https://site.example.com",
			"-build", build, "-jars", jars, "-out", out)
	}
	started := time.Now()
	if output, err := publish("1").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	whole := time.Since(started)
	robots := filepath.Join(out, "robots.txt")
	if err := os.WriteFile(robots, []byte("not of publish"), 0o640); err != nil {
		t.Fatal(err)
	}

	before, killed, finished := "1", 0, 0
	const runs = 16
	for i := range runs {
		build := []string{"2", "3"}[i%2]
		cmd := publish(build)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(whole*time.Duration(i)/(runs/2), func() { cmd.Process.Kill() })
		if err := cmd.Wait(); err != nil {
			killed++
		} else {
			finished++
		}
		timer.Stop()
		content, err := os.ReadFile(robots)
		if info, statErr := os.Stat(robots); err != nil || statErr != nil || string(content) != "not of publish" ||
			info.Mode() != 0o640 {
			t.Fatalf("run %d: robots.txt is %q %v, %v, %v", i, content, info, err, statErr)
		}
		now := wholeBuild(t, out)
		if now != before && now != build {
			t.Fatalf("run %d: the folder is of build %s, was %s, was to be %s", i, now, before, build)
		}
		before = now
	}
	t.Logf("%d runs killed, %d finished", killed, finished)
	if killed == 0 {
		t.Error("no run was killed")
	}
	if output, err := publish("4").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	left, err := os.ReadDir(work)
	if err != nil || len(left) != 3 {
		t.Errorf("left beside the folder: got %v %v", left, err)
	}
}

// wholeBuild checks every file of a publication against its sum, and returns the build that it is of.
func wholeBuild(t *testing.T, out string) string {
	t.Helper()
	sums, err := os.ReadFile(filepath.Join(out, sumsFile))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(sums)), "\n")
	build := ""
	for _, line := range lines {
		want, name, _ := strings.Cut(line, "  ")
		content, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != want {
			t.Fatalf("%s is not whole", name)
		}
		if strings.HasPrefix(name, "developer-edition-7.1.0.") {
			build = strings.TrimSuffix(strings.TrimPrefix(name, "developer-edition-7.1.0."), ".zip")
		}
	}
	entries, err := os.ReadDir(out)
	if err != nil || len(entries) != len(lines)+2 { // the sums, and robots.txt
		t.Fatalf("%d files in the folder, %d with a sum: %v", len(entries), len(lines), err)
	}
	return build
}
