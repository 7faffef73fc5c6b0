package localdata

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"marketplace/shared/config"
	"marketplace/shared/table"
	"marketplace/shared/table/bolt"
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

// older are rows as earlier versions of the program wrote them, each list into a folder of its own: before there were
// customers, licenses had their contacts, and requests, licenses and suppressions shared partitions.
var older = map[string][]table.Row{
	"of a server without a sample": {seeded(2)},
	"of a server": {
		seeded(2),
		old("LICENSE#01k0", "LICENSE", "license", `{"license":{"id":"01k0","type":"PRODUCTION","organization":"Acme AG",
			"server":"AWHW8w9JtzBzSrmf9GQX","edition":"developer","maxLoc":1000000,"support":true,
			"expiration":"2030-08-31","contacts":[{"name":"Ada","email":"ada@acme.example"}]}}`),
		old("DATASET#AWHW8w9JtzBzSrmf9GQX", "LICENSE#01k0", "index", `{"id":"01k0"}`),
		old("WORD#ac", "acme#LICENSE#01k0", "index", `{"id":"01k0"}`),
		old("STATS", "2030-08#07", "stats", `{"developer/PRODUCTION":{"licenses":1,"maxLoc":1000000}}`),
	},
	"of an import alone": {
		old("LICENSE#01k0", "LICENSE", "license", `{"license":{"id":"01k0"}}`),
		old("STATS", "2030-08#07", "stats", `{"developer/PRODUCTION":{"licenses":1,"maxLoc":1000000}}`),
	},
	"of the version that kept a number of months": {
		{Key: form.Key, Type: form.Type, Schema: 4, Data: form.Data}, seeded(4),
		old("DUE#2030-07", "2030-07-31#01k0", "due", `{"license":{"id":"01k0","expiration":"2030-08-31"},
			"reminded":2,"nextReminder":"2030-07-31"}`),
		old("MAILS#01k0", "01k0--2030-08-31-2m-55e2f8a1", "mail", `{"kind":"license-expiring","stage":2}`),
	},
	"of a later version": {
		{Key: form.Key, Type: form.Type, Schema: form.Schema + 1, Data: form.Data}, seeded(form.Schema + 1),
	},
}

func seeded(schema int) table.Row {
	marker := Marker
	marker.Schema = schema
	return marker
}

func old(pk, sk, kind, data string) table.Row {
	return table.Row{Key: table.Key{PK: pk, SK: sk}, Type: kind, Schema: 1, Data: json.RawMessage(data)}
}

func TestFolderOfAnotherVersionIsRefused(t *testing.T) {
	for name, rows := range older {
		d := Dir(t.TempDir())
		engine, err := bolt.Open(d.path("table.db"))
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			if err := engine.Transact(t.Context(), table.Create(row)); err != nil {
				t.Fatal(err)
			}
		}
		if err := engine.Close(); err != nil {
			t.Fatal(err)
		}
		for range 2 { // a refused table is closed again
			_, _, err := d.OpenTable(t.Context(), config.Config{})
			want := "cannot use the data in " + string(d) + ": it is from another version of this program. " +
				"To begin again, delete the folder, or set DATA to another one"
			if err == nil || err.Error() != want {
				t.Errorf("%s: got %v, want %s", name, err, want)
			}
		}
	}
}

func TestFolderOfThisVersionIsOpened(t *testing.T) {
	d := Dir(t.TempDir())
	for _, row := range []table.Row{
		old("STATS", "2030-08#07", "stats", `{}`), Marker, old("CUSTOMER#1", "CUSTOMER", "customer", `{}`),
	} {
		engine, done, err := d.OpenTable(t.Context(), config.Config{})
		if err != nil {
			t.Fatal(err)
		}
		if err := engine.Transact(t.Context(), table.Create(row)); err != nil {
			t.Fatal(err)
		}
		if err := done(); err != nil {
			t.Fatal(err)
		}
	}
}
