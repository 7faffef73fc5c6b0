package site

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"marketplace/shared/license"
	"marketplace/shared/store"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table"
	"marketplace/shared/web/webtest"
)

// addLicense records the license of a key.
func (env *testEnv) addLicense(k license.Key) store.LicenseChange {
	env.t.Helper()
	storetest.Record(env.t, env.store.Store, license.License{
		ID: k.ID, Type: k.Type, Organization: k.Organization, Server: k.Server, Edition: k.Edition, MaxLoc: k.MaxLoc,
		NotBefore: k.NotBefore, Expiration: k.Expiration,
	}, license.Contact{Email: "jane.doe@customer.example"})
	return store.LicenseChange{ID: k.ID, Version: 1, By: "sam@vendor.example"}
}

func TestNoticesKeepAKeyValid(t *testing.T) {
	const newer = "01c7x2m4vj8q0n5r7t9w3y1z2b"
	for _, tt := range []struct {
		name   string
		happen func(*testEnv, store.LicenseChange)
		code   string // "": no notice
		says   string
	}{
		{"nothing", func(*testEnv, store.LicenseChange) {}, "", ""},
		{"revoked", func(env *testEnv, c store.LicenseChange) {
			if err := env.store.RevokeLicense(env.t.Context(), c, "the invoice was not paid"); err != nil {
				env.t.Fatal(err)
			}
		}, "revoked", "05 Mar 2018"},
		{"replaced", func(env *testEnv, c store.LicenseChange) {
			old, err := env.store.License(env.t.Context(), c.ID)
			if err != nil {
				env.t.Fatal(err)
			}
			by := license.License{ID: newer, Type: license.Production, Server: otherServer, Edition: license.Developer,
				Expiration: terms().Expiration, Customer: old.License.Customer, Instance: old.License.Instance}
			i, err := storetest.Draft(env.t.Context(), env.store.Store, by)
			if i.Replaces = []string{c.ID}; err == nil {
				err = env.store.IssueLicenses(env.t.Context(), i)
			}
			if err != nil {
				env.t.Fatal(err)
			}
		}, "replaced", newer},
		{"renewed", func(env *testEnv, _ store.LicenseChange) {
			k := terms()
			k.ID, k.Expiration = newer, k.Expiration.AddMonths(12)
			env.addLicense(k)
		}, "superseded", newer},
	} {
		t.Run(tt.name, func(t *testing.T) {
			env := newTestEnv(t)
			tt.happen(env, env.addLicense(terms()))
			a := env.apiCheck(map[string]any{"key": env.issue(nil)})
			f := checkAnswer(a)
			if !f.Valid || len(f.Reasons)+len(f.Warnings) > 0 {
				t.Errorf("got %s, want a valid key without reasons or warnings", a.Body)
			}
			doc := env.check(env.issue(nil)).WantStatus(200).Page()
			if tt.code == "" {
				if len(f.Notices) > 0 || doc.Find("#notices").Length() > 0 {
					t.Errorf("got notices in %s, want none", a.Body)
				}
				return
			}
			if len(f.Notices) != 1 || f.Notices[0].Code != tt.code ||
				!strings.Contains(f.Notices[0].Sentence, tt.says) || f.Notices[0].Remedy == "" {
				t.Errorf("got notices %+v, want %s", f.Notices, tt.code)
			}
			if got := doc.Find("#notices"); !slices.Equal(codes(got), []string{tt.code}) ||
				!strings.Contains(webtest.Text(got), tt.says) || doc.Find("#result.good").Length() != 1 {
				t.Errorf("page: got %q, want notice %s", webtest.Text(got), tt.code)
			}
			if strings.Contains(a.Body, "invoice") || strings.Contains(webtest.Text(doc.Find("main")), "invoice") {
				t.Error("got our internal reason in the response")
			}

			// Who made up a key learns nothing.
			forged := newTestEnv(t).issue(nil)
			if f := checkAnswer(env.apiCheck(map[string]any{"key": forged})); len(f.Notices) > 0 ||
				env.check(forged).Page().Find("#notices").Length() > 0 {
				t.Errorf("forged key: got notices %+v, want none", f.Notices)
			}
		})
	}
}

func TestKeyIsCheckedWithoutRecords(t *testing.T) {
	for _, err := range []error{table.ErrUnavailable, errors.New("the disk is on fire")} {
		env := newTestEnvOver(t, failingTable{err: err})
		f := checkAnswer(env.apiCheck(map[string]any{"key": env.issue(nil)}))
		if !f.Valid || len(f.Notices) != 1 || f.Notices[0].Code != "not-looked-up" ||
			strings.Contains(f.Notices[0].Sentence, "fire") {
			t.Errorf("got %+v, want a valid key with the notice not-looked-up", f)
		}
		if !strings.Contains(env.log.String(), err.Error()) {
			t.Errorf("got no cause in the log: %s", env.log)
		}
	}
}
