package erasure_test

import (
	"strings"
	"testing"

	"marketplace/shared/license"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/erasure/erasuretest"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/signin"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table"
)

// TestLiftedAddressIsFoundWhereItIsTold lifts a suppression on the page of a license of others, whose timeline says so.
func TestLiftedAddressIsFoundWhereItIsTold(t *testing.T) {
	b := newTestEnv(t)
	who := license.Contact{Name: "Lena Liftova", Email: "lena@elsewhere.example"}
	for id, to := range map[string]license.Contact{"l1": who, "l2": ben} {
		storetest.Issue(t, b.Store.Store, license.License{
			ID: id, Type: license.Production, Organization: "Company " + id, Server: license.Server("server-of-" + id),
			Edition: license.Developer, MaxLoc: 1, Expiration: license.DateOf(b.now).AddMonths(2), KeyText: "key",
		}, to)
	}
	ctx := t.Context()
	b.must(b.SendKeyAgain(ctx, "l1", admin, who, "n1"))
	b.send(who)
	one, err := b.License(ctx, "l1")
	b.must(err)
	sent := notice.LicenseKeyAgain(one.License, who, "n1").ID
	_, err = b.RecordReport(ctx, outbox.Report{Mail: sent, Attempt: 1, ProviderID: "ses-" + sent, Recipient: who.Email,
		Outcome: outbox.Bounced, Status: "5.1.1", At: b.now})
	b.must(err)
	_, err = b.LiftSuppression(ctx, store.Subject{License: "l2"}, who.Email, admin, "they called")
	b.must(err)
	if err := erasuretest.Erase(ctx, b.memory, b.Store.Store, who.Email); err != nil {
		t.Error(err)
	}
}

// TestKeySentToAStrangerIsFound sends a key again to somebody who is no contact.
func TestKeySentToAStrangerIsFound(t *testing.T) {
	b := newTestEnv(t)
	who := license.Contact{Name: "Lena Liftova", Email: "lena@elsewhere.example"}
	storetest.Issue(t, b.Store.Store, license.License{
		ID: "l1", Type: license.Production, Organization: "Company", Server: "server-of-l1",
		Edition: license.Developer, MaxLoc: 1, Expiration: license.DateOf(b.now).AddMonths(2), KeyText: "key",
	}, ben)
	b.must(b.SendKeyAgain(t.Context(), "l1", admin, who, "n1"))
	if err := erasuretest.Erase(t.Context(), b.memory, b.Store.Store, who.Email); err != nil {
		t.Error(err)
	}
}

// TestKeyThatAnswersIsFound answers a request with a key that goes to a stranger, who did not send it.
func TestKeyThatAnswersIsFound(t *testing.T) {
	b := newTestEnv(t)
	who := license.Contact{Name: "Lena Liftova", Email: "lena@elsewhere.example"}
	storetest.Issue(t, b.Store.Store, license.License{
		ID: "l1", Type: license.Production, Organization: "Company", Server: "server-of-l1",
		Edition: license.Developer, MaxLoc: 1, Expiration: license.DateOf(b.now).AddMonths(2), KeyText: "key",
	}, ben)
	r := b.file(b.details(ada))
	b.must(b.ResendKey(t.Context(), store.Review{ID: r.ID, Version: r.Version, By: admin}, "l1", who))
	if err := erasuretest.Erase(t.Context(), b.memory, b.Store.Store, who.Email); err != nil {
		t.Error(err)
	}
}

// TestExpiredRequestIsFound erases the sender of a request whose time is over, of which the engine dropped some rows
// and the daily run nothing yet.
func TestExpiredRequestIsFound(t *testing.T) {
	for name, dropped := range map[string]func(table.Row) bool{
		"nothing":     func(table.Row) bool { return false },
		"index":       func(r table.Row) bool { return strings.HasPrefix(r.PK, "EMAIL-REQUESTS#") },
		"request":     func(r table.Row) bool { return r.SK == "REQUEST" },
		"all it may":  func(r table.Row) bool { return !r.Expires.IsZero() },
		"all but own": func(r table.Row) bool { return !r.Expires.IsZero() && r.SK != "REQUEST" },
	} {
		t.Run(name, func(t *testing.T) {
			b := newTestEnv(t)
			r := b.file(b.details(ada))
			_, err := b.Review(t.Context(), store.Review{
				ID: r.ID, Version: r.Version, By: admin, To: request.Rejected, Text: "no",
			})
			b.must(err)
			b.now = b.now.AddDate(0, 0, 182)
			for _, row := range b.memory.Rows() {
				if dropped(row) {
					b.must(b.memory.Transact(t.Context(), table.Delete(row.Key, table.Any)))
				}
			}
			if err := erasuretest.Erase(t.Context(), b.memory, b.Store.Store, ada.Email); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestSignInIsErased begins to sign in, gets the link, and has a key emailed again from the account.
func TestSignInIsErased(t *testing.T) {
	b := newTestEnv(t)
	who := license.Contact{Name: "Lena Liftova", Email: "lena@elsewhere.example"}
	storetest.Issue(t, b.Store.Store, license.License{
		ID: "l1", Type: license.Production, Organization: "Company", Server: "server-of-l1",
		Edition: license.Developer, MaxLoc: 1, Expiration: license.DateOf(b.now).AddMonths(2), KeyText: "key",
	}, ben)
	_, err := signin.New(b.Store.Store).Begin(t.Context(), signin.Attempt{Email: who.Email, Code: "123456"})
	b.must(err)
	b.must(b.SendKeyAgain(t.Context(), "l1", store.Customer, who, "n1"))
	b.send(who)
	if err := erasuretest.Erase(t.Context(), b.memory, b.Store.Store, who.Email); err != nil {
		t.Error(err)
	}
}

// TestWhoToldTheLinesOfCodeIsErased has a contact tell the lines of code, whom somebody removes later: the timeline of
// the customer still has the address.
func TestWhoToldTheLinesOfCodeIsErased(t *testing.T) {
	b := newTestEnv(t)
	who := license.Contact{Name: "Lena Liftova", Email: "lena@elsewhere.example"}
	issued := storetest.Issue(t, b.Store.Store, license.License{
		ID: "l1", Type: license.Production, Organization: "Company", Server: "server-of-l1",
		Edition: license.Developer, MaxLoc: 1, Expiration: license.DateOf(b.now).AddMonths(2), KeyText: "key",
	}, ben).License
	b.must(b.TellLoc(t.Context(), issued.Customer, issued.Instance, who.Email, 42))
	named := func() (list []string) {
		for _, row := range b.memory.Rows() {
			if strings.Contains(row.PK+row.SK+string(row.Data), who.Email) {
				list = append(list, row.PK+" "+row.SK)
			}
		}
		return list
	}
	if len(named()) < 2 {
		t.Fatalf("got the rows %q with the address, want the timeline's and the one that finds it", named())
	}
	if err := erasuretest.Erase(t.Context(), b.memory, b.Store.Store, who.Email); err != nil {
		t.Error(err)
	}
	if left := named(); len(left) != 0 {
		t.Errorf("the rows %q still have the address", left)
	}
}
