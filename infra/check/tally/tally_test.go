package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// sample writes the sample module and returns its folder.
func sample(t *testing.T) string {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/sample.txtar")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, f := range archive.Files {
		name := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestSummaryCountsEveryOutcome(t *testing.T) {
	dir := sample(t)
	for _, tt := range []struct {
		name    string
		skips   string
		args    []string
		ok      bool
		want    []string
		wantNot []string
	}{
		{
			name: "only leaves count", skips: ".*", args: []string{"./good"}, ok: true,
			want: []string{"ok    sample/good  5 passed", "\n5 passed, 0 failed, 0 skipped\n"},
		}, {
			name: "skips are listed by reason", skips: ".*", args: []string{"./skips"}, ok: true,
			want: []string{
				"Skipped: no engine is running\n      sample/skips TestNeedsAnEngine\n",
				"Skipped: the data is missing\n      sample/skips TestPartly/needs_data\n",
				"Skipped: no reason given\n      sample/skips TestSilent\n",
				"\n1 passed, 0 failed, 3 skipped\n",
			},
		}, {
			name: "a skip without an accepted reason is a failure", skips: "data is missing", args: []string{"./skips"},
			want: []string{
				"FAIL  sample/skips", "sample/skips TestNeedsAnEngine (skipped: no engine is running)\n",
				"sample/skips TestSilent (skipped: no reason given)\n", "\n1 passed, 2 failed, 1 skipped\n",
			},
		}, {
			name: "failures are shown and counted once", skips: ".*", args: []string{"./bad"},
			want: []string{"two is not three", "four is not five", "six is not seven",
				"\n2 passed, 3 failed, 0 skipped\n"},
			wantNot: []string{"kept quiet", "=== RUN", "sample/bad TestParent\n"},
		}, {
			name: "a package that does not build is a failure", skips: ".*", args: []string{"./broken"},
			want: []string{"FAIL  sample/broken", "cannot use \"no number\"", "\n0 passed, 1 failed, 0 skipped\n"},
		}, {
			name: "a panic is the failure of its test", skips: ".*", args: []string{"./dies"},
			want: []string{"out of luck", "sample/dies TestPanics\n", "\n1 passed, 1 failed, 0 skipped\n"},
		}, {
			name: "a package that ends badly by itself is a failure", skips: ".*", args: []string{"./exits"},
			want: []string{"FAIL  sample/exits", "\n1 passed, 1 failed, 0 skipped\n"},
		}, {
			name: "packages without tests are not mentioned", skips: ".*", args: []string{"./none"}, ok: true,
			want: []string{"\n0 passed, 0 failed, 0 skipped\n"}, wantNot: []string{"sample/none"},
		}, {
			name: "all together", skips: ".*", args: []string{"./..."},
			want: []string{"\n10 passed, 6 failed, 3 skipped\n"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			ok, err := run(dir, tt.args, newTally(&out, regexp.MustCompile(tt.skips)))
			if err != nil || ok != tt.ok {
				t.Errorf("got ok %v, error %v; want ok %v", ok, err, tt.ok)
			}
			for _, s := range tt.want {
				if !strings.Contains(out.String(), s) {
					t.Errorf("%q is missing in:\n%s", s, out.String())
				}
			}
			for _, s := range tt.wantNot {
				if strings.Contains(out.String(), s) {
					t.Errorf("%q is unwanted in:\n%s", s, out.String())
				}
			}
		})
	}
}

func TestFailureOfGoTestItselfIsAnError(t *testing.T) {
	var out strings.Builder
	if ok, err := run(t.TempDir(), []string{"-no-such-flag"}, newTally(&out, regexp.MustCompile(""))); ok ||
		err == nil {
		t.Errorf("got ok %v, error %v; want an error", ok, err)
	}
}
