package marketplace

import (
	"encoding/base64"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"marketplace/shared/license"
)

var states = map[string]State{
	"idle": Idle, "downloading": Downloading, "ready": Ready, "manual": Manual, "uninstalling": Uninstalling,
}

// TestBoxesAreTheClients compares with testdata/boxes.txt.
func TestBoxesAreTheClients(t *testing.T) {
	file, err := os.ReadFile("testdata/boxes.txt")
	if err != nil {
		t.Fatal(err)
	}
	edition := func(s string) license.Edition { return license.Edition(strings.TrimPrefix(s, "-")) }
	compared := 0
	for line := range strings.Lines(string(file)) {
		f := strings.Fields(line)
		if f[0] == "#" {
			continue
		}
		c, err := document("6.7").Choose(map[bool]string{true: "9.9", false: "6.7"}[f[3] == "read-only"])
		if err != nil {
			t.Fatal(err)
		}
		s := Server{Edition: edition(f[2]), State: states[f[0]], Next: edition(f[1]), Cluster: f[3] == "cluster"}
		for i, b := range s.Boxes(c) {
			got := string(b.Badge) + string(b.Action)
			if b.Action != "" && b.Disabled {
				got = "(" + got + ")"
			}
			if want := strings.TrimPrefix(f[4+i], "-"); got != want {
				t.Errorf("%s%s: got %q, want %q", line, b.Key, got, want)
			}
			compared++
		}
	}
	if compared != 204 {
		t.Errorf("compared %d boxes, want 204", compared)
	}
}

// keyOf writes what the server reads of a key.
func keyOf(e license.Edition, plugins ...string) string {
	return base64.StdEncoding.EncodeToString(
		[]byte("Edition=" + string(e) + "\nPlugins=" + strings.Join(plugins, ",") + "\n"))
}

func TestDialogSaysWhatAKeyLeadsTo(t *testing.T) {
	developer := Server{Edition: license.Developer, Plugins: []string{"license", "cpp", "abap"}}
	offline := developer
	offline.Offline = true
	for _, test := range []struct {
		name            string
		server          Server
		box             license.Edition
		key             string
		outcome         Outcome
		button          string
		install, remove []string
	}{
		{"text", developer, license.Enterprise, "hello", Unreadable, "", nil, nil},
		{"no plugins", developer, license.Enterprise, keyOf(license.Enterprise), Unreadable, "", nil, nil},
		{"other edition", developer, license.Enterprise, keyOf(license.DataCenter, "license", "cpp", "abap"),
			OtherEdition, "", nil, nil},
		{"unknown edition", developer, license.Enterprise, keyOf("team", "license", "cpp", "abap"),
			OtherEdition, "", nil, nil},
		{"same plugins", developer, license.Developer, keyOf(license.Developer, "abap", "license", "cpp"),
			NothingToInstall, "Save", nil, nil},
		{"more plugins", developer, license.Enterprise, keyOf(license.Enterprise, "license", "cpp", "abap", "cobol"),
			Automatic, "Install", []string{"cobol"}, nil},
		{"fewer plugins", developer, license.Enterprise, keyOf(license.Enterprise, "license"),
			Automatic, "Install", nil, []string{"cpp", "abap"}},
		{"values are not trimmed", developer, license.Developer, keyOf(license.Developer, "license", " cpp", "abap"),
			Automatic, "Install", []string{" cpp"}, []string{"cpp"}},
		{"offline", offline, license.Enterprise, keyOf(license.Enterprise, "license", "cobol"),
			ByHand, "Save", []string{"cobol"}, []string{"cpp", "abap"}},
		{"offline, same plugins", offline, license.Developer, keyOf(license.Developer, "license", "cpp", "abap"),
			NothingToInstall, "Save", nil, nil},
	} {
		c := test.server.Check(test.box, test.key)
		if c.Outcome != test.outcome || c.Button() != test.button || !slices.Equal(c.Install, test.install) ||
			!slices.Equal(c.Remove, test.remove) {
			t.Errorf("%s: got %v, %q, install %q, remove %q", test.name, c.Outcome, c.Button(), c.Install, c.Remove)
		}
	}
}

// What the dialog does not check: it takes a key that nobody signed, for another server, long expired.
func TestDialogReadsNothingButEditionAndPlugins(t *testing.T) {
	forged := base64.StdEncoding.EncodeToString([]byte("Server=other\nExpiration=2001-01-01\nEdition=developer\n" +
		"Plugins=license\nSignature=none\n"))
	if c := (Server{}).Check(license.Developer, forged); c.Outcome != Automatic {
		t.Errorf("got %v", c.Outcome)
	}
}

func TestInstallationEndsWithARestart(t *testing.T) {
	empty := Server{Plugins: []string{}}
	check := empty.Check(license.Developer, keyOf(license.Developer, "license", "cpp"))
	downloading := empty.Apply(check)
	if downloading.State != Downloading || downloading.Next != license.Developer || downloading.Edition != "" {
		t.Fatalf("got %+v", downloading)
	}
	if s := downloading.Downloaded(false); s.State != Idle || s.Edition != "" || s.Next != "" {
		t.Errorf("failed download: got %+v", s)
	}
	if s, p := downloading.Restart(nil, true); p != Interrupted || s.State != Idle || s.Edition != "" {
		t.Errorf("restart during the download: got %+v, %q", s, p)
	}
	ready := downloading.Downloaded(true)
	both := []string{"license", "cpp"}
	for _, test := range []struct {
		plugins  []string
		accepted bool
		problem  Problem
	}{{both, true, ""}, {both, false, Refused}, {nil, true, PluginsMissing}, {[]string{"cpp"}, true, PluginsMissing}} {
		s, p := ready.Restart(test.plugins, test.accepted)
		if p != test.problem || s.State != Idle || s.Edition != license.Developer {
			t.Errorf("%v, accepted %t: got %+v, %q; want %q", test.plugins, test.accepted, s, p, test.problem)
		}
	}
	offline := Server{Offline: true}
	manual := offline.Apply(offline.Check(license.Developer, keyOf(license.Developer, "license")))
	if manual.State != Manual {
		t.Errorf("offline: got %+v", manual)
	}
	if s, p := manual.Restart(nil, true); p != PluginsMissing || s.Edition != license.Developer {
		t.Errorf("manually, without the jars: got %+v, %q", s, p)
	}
}

func TestDowngradeToCommunityRemovesThePlugins(t *testing.T) {
	s := Server{Edition: license.Developer, Plugins: []string{"license", "cpp"}}.Uninstall()
	if s.State != Uninstalling || s.Edition != "" {
		t.Fatalf("got %+v", s)
	}
	if after, p := s.Restart(nil, false); p != "" || after.State != Idle || len(after.Plugins) != 0 {
		t.Errorf("got %+v, %q", after, p)
	}
	if after, p := s.Restart([]string{"license"}, true); p != StillThere || after.State != Uninstalling {
		t.Errorf("with the jars: got %+v, %q, want a server that does not start", after, p)
	}
}

// TestAnyPathLeavesOnePageThatHoldsTogether presses random buttons: at most one box has a badge, no box has both a
// badge and a button, and a restart ends every change.
func TestAnyPathLeavesOnePageThatHoldsTogether(t *testing.T) {
	all := []string{"license", "cpp", "abap", "cobol", "ha"}
	rapid.Check(t, func(t *rapid.T) {
		c, err := document("6.7").Choose("6.7")
		if err != nil {
			t.Fatal(err)
		}
		s := Server{Offline: rapid.Bool().Draw(t, "offline")}
		for range rapid.IntRange(1, 8).Draw(t, "presses") {
			boxes := s.Boxes(c)
			badges := 0
			for _, b := range boxes {
				if b.Badge != "" {
					badges++
				}
				if b.Badge != "" && b.Action != "" {
					t.Fatalf("%+v: box %s has %s and %s", s, b.Key, b.Badge, b.Action)
				}
			}
			if badges != 1 {
				t.Fatalf("%+v: %d boxes have a badge", s, badges)
			}
			b := rapid.SampledFrom(boxes).Draw(t, "box")
			switch {
			case b.Action == "" || b.Disabled:
			case b.Uninstalls:
				s = s.Uninstall()
			default:
				plugins := append([]string{"license"}, rapid.SliceOfDistinct(rapid.SampledFrom(all[1:]),
					rapid.ID[string]).Draw(t, "plugins")...)
				s = s.Apply(s.Check(license.Edition(b.Key), keyOf(license.Edition(b.Key), plugins...)))
				if s.State == Downloading {
					s = s.Downloaded(rapid.Bool().Draw(t, "downloaded"))
				}
				if s.State == Idle {
					plugins = s.Plugins
				}
				if s, _ = s.Restart(plugins, true); s.State != Idle {
					t.Fatalf("%+v after a restart", s)
				}
				continue
			}
			if s, _ = s.Restart(nil, true); s.State != Idle {
				t.Fatalf("%+v after a restart", s)
			}
		}
	})
}
