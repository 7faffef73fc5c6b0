package site

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"marketplace/shared/license"
	"marketplace/shared/store"
	"marketplace/shared/table"
	"marketplace/shared/web/webtest"
)

// onRecord puts the license of a key on record.
func (w *testEnv) onRecord(k license.Key) store.LicenseChange {
	w.t.Helper()
	_, err := w.store.AddLicense(w.t.Context(), license.License{
		ID: k.ID, Type: k.Type, Organization: k.Organization, Server: k.Server, Edition: k.Edition, MaxLoc: k.MaxLoc,
		NotBefore: k.NotBefore, Expiration: k.Expiration, Contacts: []license.Contact{{Email: "jane.doe@customer.example"}},
	}, "import")
	if err != nil {
		w.t.Fatal(err)
	}
	return store.LicenseChange{ID: k.ID, Version: 1, By: "sam@vendor.example"}
}

func TestWhatBecameOfALicenseIsSaidAndKeepsItsKeyValid(t *testing.T) {
	const newer = "01c7x2m4vj8q0n5r7t9w3y1z2b"
	for _, tt := range []struct {
		name   string
		happen func(*testEnv, store.LicenseChange)
		code   string // "": there is nothing to say
		says   string
	}{
		{"nothing", func(*testEnv, store.LicenseChange) {}, "", ""},
		{"revoked", func(w *testEnv, c store.LicenseChange) {
			if err := w.store.RevokeLicense(w.t.Context(), c, "the invoice was not paid"); err != nil {
				w.t.Fatal(err)
			}
		}, "revoked", "05 Mar 2018"},
		{"replaced", func(w *testEnv, c store.LicenseChange) {
			by := license.License{ID: newer, Type: license.Production, Server: otherServer, Edition: license.Developer, Expiration: terms().Expiration}
			if err := w.store.IssueLicenses(w.t.Context(), store.Issue{Licenses: []license.License{by}, By: c.By, Replaces: map[string]int64{c.ID: c.Version}}, nil); err != nil {
				w.t.Fatal(err)
			}
		}, "replaced", newer},
		{"renewed", func(w *testEnv, _ store.LicenseChange) {
			k := terms()
			k.ID, k.Expiration = newer, k.Expiration.AddMonths(12)
			w.onRecord(k)
		}, "superseded", newer},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newTestEnv(t)
			tt.happen(w, w.onRecord(terms()))
			a := w.apiCheck(map[string]any{"key": w.issue(nil)})
			f := findings(a)
			if !f.Valid || len(f.Reasons)+len(f.Warnings) > 0 {
				t.Errorf("a record speaks against the key: %s", a.Body)
			}
			doc := w.check(w.issue(nil)).WantStatus(200).Page()
			if tt.code == "" {
				if len(f.Notices) > 0 || doc.Find("#notices").Length() > 0 {
					t.Errorf("notices of nothing: %s", a.Body)
				}
				return
			}
			if len(f.Notices) != 1 || f.Notices[0].Code != tt.code || !strings.Contains(f.Notices[0].Sentence, tt.says) || f.Notices[0].Remedy == "" {
				t.Errorf("notices %+v", f.Notices)
			}
			if got := doc.Find("#notices"); !slices.Equal(codes(got), []string{tt.code}) || !strings.Contains(webtest.Text(got), tt.says) || doc.Find("#result.good").Length() != 1 {
				t.Errorf("the page says %q", webtest.Text(got))
			}
			if strings.Contains(a.Body, "invoice") || strings.Contains(webtest.Text(doc.Find("main")), "invoice") {
				t.Error("the reason is for us alone")
			}

			// Who made up a key learns nothing.
			forged := newTestEnv(t).issue(nil)
			if f := findings(w.apiCheck(map[string]any{"key": forged})); len(f.Notices) > 0 || w.check(forged).Page().Find("#notices").Length() > 0 {
				t.Errorf("a forged key is told %+v", f.Notices)
			}
		})
	}
}

func TestAKeyIsCheckedWithoutRecords(t *testing.T) {
	for _, err := range []error{table.ErrUnavailable, errors.New("the disk is on fire")} {
		w := newWorldOver(t, failingTable{err: err})
		f := findings(w.apiCheck(map[string]any{"key": w.issue(nil)}))
		if !f.Valid || len(f.Notices) != 1 || f.Notices[0].Code != "not-looked-up" || strings.Contains(f.Notices[0].Sentence, "fire") {
			t.Errorf("%+v", f)
		}
		if !strings.Contains(w.log.String(), err.Error()) {
			t.Errorf("the log has no cause: %s", w.log)
		}
	}
}
