package localdata

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"marketplace/shared/config"
	"marketplace/shared/table"
)

func TestServerFindsTheRunningServer(t *testing.T) {
	answers := func(status int) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/_local/clock" {
				status = http.StatusTeapot
			}
			w.WriteHeader(status)
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	running, another, dead := answers(http.StatusOK), answers(http.StatusNotFound), httptest.NewServer(nil)
	dead.Close()
	for _, test := range []struct{ name, announced, want string }{
		{"it runs", running, running},
		{"another program has its port now", another, ""},
		{"it was killed", dead.URL, ""},
		{"no address", "http://%zz", ""},
	} {
		d := Dir(t.TempDir())
		if got := d.Server(t.Context()); got != "" {
			t.Errorf("before an announcement: got %s, want none", got)
		}
		if err := d.Announce(test.announced); err != nil {
			t.Fatal(err)
		}
		if got := d.Server(t.Context()); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
		if err := d.Withdraw(); err != nil {
			t.Fatal(err)
		}
		if got := d.Server(t.Context()); got != "" {
			t.Errorf("%s: got %s after Withdraw, want none", test.name, got)
		}
	}
}

func TestTableOfAnotherVersionIsRefused(t *testing.T) {
	for _, version := range []int{Marker.Schema - 1, Marker.Schema, Marker.Schema + 1} {
		d := Dir(t.TempDir())
		engine, done, err := d.OpenTable(t.Context(), config.Config{})
		if err != nil {
			t.Fatal(err)
		}
		marker := Marker
		marker.Schema = version
		if err := engine.Transact(t.Context(), table.Create(marker)); err != nil {
			t.Fatal(err)
		}
		if err := done(); err != nil {
			t.Fatal(err)
		}
		for range 2 { // a refused table is closed again
			_, done, err := d.OpenTable(t.Context(), config.Config{})
			if version == Marker.Schema {
				if err != nil {
					t.Fatal(err)
				}
				done()
				continue
			}
			want := "cannot use the data in " + string(d) + ": it is from another version of this program. " +
				"To begin again, delete the folder, or set DATA to another one"
			if err == nil || err.Error() != want {
				t.Errorf("version %d: got %v, want %s", version, err, want)
			}
		}
	}
}
