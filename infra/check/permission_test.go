package check

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	accountsignin "marketplace/functions/account/signin"
	account "marketplace/functions/account/site"
	"marketplace/functions/bridge/issue"
	"marketplace/functions/console/signin"
	console "marketplace/functions/console/site"
	"marketplace/functions/mailer/dispatch"
	"marketplace/functions/mailevents/feedback"
	"marketplace/functions/reminders/daily"
	"marketplace/functions/reminders/late"
	"marketplace/functions/requests/site"
	"marketplace/shared/cloud/packagestore"
	"marketplace/shared/cloud/secretstore"
	"marketplace/shared/cloud/signer"
	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/mail/ses"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
	"marketplace/shared/secret"
	"marketplace/shared/store"
	"marketplace/shared/store/bridge"
	"marketplace/shared/store/deletion"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/erasure"
	"marketplace/shared/store/expansion"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/reply"
	"marketplace/shared/store/requester"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/store/search"
	accountsignins "marketplace/shared/store/signin"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table"
	"marketplace/shared/table/dynamo"
)

// step is a method of the store and a call of it.
type step struct {
	method string
	call   func() error
}

// usage does with a store in DynamoDB what each function does with its own, and returns by function which permissions
// that needs, with the partitions of the table, and the rows that they write. A method that a function may call and
// that is not tried here is an error.
func usage(t *testing.T) (actions map[string]touched, rows []table.Row) {
	t.Helper()
	db, tab := newDynamoDB(t)
	now := time.Date(2018, 6, 1, 12, 0, 0, 0, time.UTC)
	kept := store.New(tab, store.Options{Now: func() time.Time { return now }})
	u := &user{ctx: t.Context(), now: now, table: tab, s: delivery.New(kept)}
	u.prepare(t)

	actions = map[string]touched{"catalog": {}}
	try := func(function string, steps []step, declared ...reflect.Type) {
		db.touched = touched{}
		for _, d := range declared {
			for method := range d.Methods() {
				if !slices.ContainsFunc(steps, func(s step) bool { return s.method == method.Name }) {
					t.Errorf("%s may call %s: it is not known which permissions that needs", function, method.Name)
				}
			}
		}
		for _, s := range steps {
			if err := s.call(); err != nil {
				t.Errorf("%s: %s: %v", function, s.method, err)
			}
		}
		actions[function] = db.touched
	}
	try("requests", u.requestsSteps(), reflect.TypeFor[site.Store](), reflect.TypeFor[site.Requester]())
	try("mailer", u.mailerSteps(), reflect.TypeFor[dispatch.Outbox](), reflect.TypeFor[dispatch.Records](),
		reflect.TypeFor[dispatch.Expander]())
	try("mailevents", u.mailEventsSteps(), reflect.TypeFor[feedback.Store]())
	try("reminders", u.remindersSteps(), reflect.TypeFor[daily.Store](), reflect.TypeFor[late.Store]())
	orders := u.askForBridges(t)
	try("bridge", u.bridgeSteps(t, orders), reflect.TypeFor[issue.Store]())
	var err error
	if u.unsaid, err = u.file("corrected in the account"); err != nil {
		t.Fatal(err)
	}
	try("account", u.accountSteps(), reflect.TypeFor[account.Store](), reflect.TypeFor[account.Requester](),
		reflect.TypeFor[account.Contacts](), reflect.TypeFor[account.Reminders](),
		reflect.TypeFor[account.PersonalData](),
		reflect.TypeFor[accountsignin.Accounts](),
		reflect.TypeFor[accountsignin.SignIns]())
	try("console", slices.Concat(u.consoleSteps(), u.customerSteps(), u.askerSteps(), u.eraserSteps()),
		reflect.TypeFor[console.Store](),
		reflect.TypeFor[console.Eraser](),
		reflect.TypeFor[console.Search](), reflect.TypeFor[signin.Sessions](), reflect.TypeFor[signin.Directory]())
	for _, i := range db.created {
		key := table.Key{PK: i.text("PK"), SK: i.text("SK")}
		rows = append(rows, table.Row{Key: key, Type: i.text("type")})
	}

	for service, asked := range map[string]reflect.Type{
		"mailer ses": reflect.TypeFor[ses.API](), "console s3": reflect.TypeFor[packagestore.API](),
		"console kms": reflect.TypeFor[signer.API](), "console secretsmanager": reflect.TypeFor[secretstore.API](),
		"bridge kms": reflect.TypeFor[signer.API](), "account secretsmanager": reflect.TypeFor[secretstore.API](),
	} {
		function, service, _ := strings.Cut(service, " ")
		for method := range asked.Methods() {
			actions[function].add(service+":"+method.Name, "")
		}
	}
	return actions, rows
}

// user uses a store as the functions do.
type user struct {
	ctx   context.Context
	now   time.Time
	table table.Table
	s     *delivery.Store

	license license.License // on record
	key     string          // the ID of a mail with its key
	other   string          // the ID of another customer
	filed   request.Request
	// reviewed are unconfirmed requests: three that an operator works on, and one that is only linked, as two of them
	// are.
	reviewed [4]request.Request
	lost     request.Request    // another one, in review
	unsaid   request.Request    // another one, which nobody confirmed
	waits    [2]request.Request // others, whose customers were asked a question
	asks     request.Request    // another one, which an operator filed
	moved    request.Request    // a replacement that a contact filed who is signed in
	due      store.Due
	signIn   outbox.Mail // the link of a sign-in, as it was sent
}

const operator = "sales@example.com"

// contact is the first whom the customer's mails go to.
var contact = license.Contact{Name: "Ada Lovelace", Email: "a@example.com"}

// prepare puts a license and another customer on record, and queues mails with the license's key.
func (u *user) prepare(t *testing.T) {
	t.Helper()
	u.license = storetest.Record(t, u.s.Store, license.License{
		ID: "l1", Type: license.Production, Organization: "Example", Server: "AWHW8w9JtzBzSrmf9GQX",
		Edition: license.Developer, MaxLoc: 1, Expiration: license.DateOf(u.now).AddMonths(2), KeyText: "key",
	}, contact).License
	u.other = storetest.Customer(t, u.s.Store, "Other").ID
	for i := range 10 {
		if err := u.sendKey(fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	u.key = notice.LicenseKeyAgain(u.license, contact, "0").ID
	for i, to := range []request.State{request.InReview, request.InReview, request.Waiting, ""} {
		r, err := u.file(fmt.Sprint("reviewed", i))
		if err == nil && i > 0 {
			change := store.RequestChange{ID: r.ID, Version: r.Version, By: operator}
			if err = u.s.LinkRequest(u.ctx, change, u.license.Customer, u.license.Instance); err == nil {
				r, err = u.s.Request(u.ctx, r.ID)
			}
		}
		if err == nil && to != "" {
			r, err = u.s.Review(u.ctx, store.Review{ID: r.ID, Version: r.Version, By: operator, To: to, Text: "Why?"})
		}
		if err != nil {
			t.Fatal(err)
		}
		u.reviewed[i] = r
	}
	if _, err := u.file("nobody confirms this"); err != nil {
		t.Fatal(err)
	}
	for i := range u.waits {
		r, err := u.file(fmt.Sprint("answered by its customer", i))
		if err == nil {
			u.waits[i], err = u.s.Review(u.ctx, store.Review{ID: r.ID, Version: r.Version, By: operator,
				To: request.Waiting, Text: "Which version?"})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := u.s.AskContacts(u.ctx, store.RequestChange{ID: u.reviewed[0].ID, By: operator}, contact); err != nil {
		t.Fatal(err)
	}
	if err := u.beginSignIn(); err != nil {
		t.Fatal(err)
	}
}

// signInCode is the code of the sign-in.
const signInCode = "123456"

// beginSignIn has somebody begin to sign in, who is not erased, and the link sent.
func (u *user) beginSignIn() error {
	id, err := accountsignins.New(u.s.Store).Begin(u.ctx,
		accountsignins.Attempt{Email: "c@example.com", Code: signInCode})
	if err != nil {
		return err
	}
	m, err := u.s.Outbox().Read(u.ctx, notice.IDOf(id, notice.Link))
	if err == nil {
		m, err = u.s.Outbox().Begin(u.ctx, m, 1, mail.Message{ID: m.ID})
	}
	if err == nil {
		err = u.s.Outbox().RecordSent(u.ctx, m, "x")
	}
	u.signIn = m
	return err
}

// file files an unconfirmed request.
func (u *user) file(key string) (request.Request, error) {
	details := request.Details{
		Kind: request.Evaluation, Edition: license.Developer, Server: u.license.Server, Email: "a@example.com",
		Company: "Example",
	}
	r, _, err := u.s.FileRequest(u.ctx, store.Filing{Details: details, Key: key})
	return r, err
}

func (u *user) sendKey(nonce string) error {
	return u.s.SendKeyAgain(u.ctx, u.license.ID, operator, contact, nonce)
}

// last drops all results of a call but its error.
func last[T any](_ T, err error) error { return err }

// some reports a call that does nothing: what it may write is not known then.
func some(call func() (int, error)) func() error {
	return func() error {
		n, err := call()
		if err == nil && n == 0 {
			err = errors.New("it found nothing to do")
		}
		return err
	}
}

func last2[T, U any](_ T, _ U, err error) error { return err }

func (u *user) requestsSteps() []step {
	// answer has the address of a request that an operator works on answer for it.
	answer := func(r *request.Request, how func(context.Context, string, string, ...string) error) func() error {
		return func() error { return how(u.ctx, r.ID, r.Secret, r.ID) }
	}
	return []step{
		{"FileRequest", func() (err error) { u.filed, err = u.file("token"); return err }},
		{"CorrectEmail", func() error { return u.s.CorrectEmail(u.ctx, u.filed.ID, u.filed.Email, "b@example.com") }},
		{"SendConfirmation", func() error { return u.s.SendConfirmation(u.ctx, u.filed.ID) }},
		{"FileRequest", func() error { return last(u.file("token")) }}, // a repeated one reads
		{"Request", func() (err error) { u.filed, err = u.s.Request(u.ctx, u.filed.ID); return err }},
		{"ToConfirm", func() error { return last(u.s.ToConfirm(u.ctx, u.filed.ID, u.filed.Secret)) }},
		{"ConfirmRequests", func() error {
			return u.s.ConfirmRequests(u.ctx, u.filed.ID, u.filed.Secret, u.filed.ID)
		}},
		{"ConfirmRequests", answer(&u.reviewed[0], u.s.ConfirmRequests)},
		{"DenyRequests", answer(&u.reviewed[1], u.s.DenyRequests)},
		{"DenyRequests", answer(&u.reviewed[2], u.s.DenyRequests)},
		{"DenyRequests", answer(&u.reviewed[3], u.s.DenyRequests)},
		{"RequestByToken", func() error { return last(u.s.RequestByToken(u.ctx, u.filed.ID, u.filed.Token)) }},
		{"RequestTimeline", func() error { return last(u.s.RequestTimeline(u.ctx, u.filed.ID)) }},
		{"License", func() error { return last(u.s.License(u.ctx, u.license.ID)) }},
		{"MailsAbout", func() error { return last(u.s.MailsAbout(u.ctx, u.filed.ID, 10)) }},
		{"Mail", func() error { return last(u.s.Mail(u.ctx, u.license.ID, u.key)) }},
		{"FileRequest", func() error { // through the link of a reminder
			renewal := request.Details{
				Kind: request.Renewal, Edition: license.Developer, Server: u.license.Server, Email: contact.Email,
				Company: "Example",
			}
			return last2(u.s.FileRequest(u.ctx, store.Filing{Details: renewal, Link: u.link(), Bound: true}))
		}},
		{"Licenses", func() error { return last(u.s.Licenses(u.ctx, u.license.ID)) }},
		{"Retention", func() error { u.s.Retention(); return nil }},
		{"Policy", func() error { u.s.Policy(); return nil }},
		{"Hours", func() error { u.s.Hours(); return nil }},
		{"Unsubscribe", func() error { return u.s.Unsubscribe(u.ctx, u.reminder()) }},
		{"UnsubscribedFrom", func() error { return last(u.s.UnsubscribedFrom(u.ctx, u.reminder())) }},
		{"Resubscribe", func() error { return u.s.Resubscribe(u.ctx, u.reminder()) }},
		{"UndoRemoval", func() error { return u.s.UndoRemoval(u.ctx, u.removed()) }},
		{"RemovalUndone", func() error { return last(u.s.RemovalUndone(u.ctx, u.removed())) }},
		{"AnswerRequest", func() error { return u.s.AnswerRequest(u.ctx, u.reviewed[0].ID, contact.Email, true) }},
		{"RequestOfLink", func() error { return last2(u.s.RequestOfLink(u.ctx, *u.link())) }},
		{"Unsubscribe", func() error { return u.s.Unsubscribe(u.ctx, u.reminder()) }}, // for the console to undo
		{"AnswerQuestion", func() error {
			return requester.New(u.s.Store).AnswerQuestion(u.ctx, u.waits[0].ID, "", u.waits[0].Question, "6.7.5")
		}},
		{"CorrectRequest", func() error {
			other := u.waits[0].Details
			other.Server = "AWHW8w9JtzBzSrmf9GQZ"
			return requester.New(u.s.Store).CorrectRequest(u.ctx, u.waits[0].ID, "", u.waits[0].Version+1, other)
		}},
		{"CancelRequest", func() error { return requester.New(u.s.Store).CancelRequest(u.ctx, u.waits[0].ID, "") }},
	}
}

// reminder is an email that reminds a contact of the license.
func (u *user) reminder() outbox.Mail {
	n := notice.LicensesExpiring(u.license.Customer, license.DateOf(u.now), contact, 1)
	n.Due = []notice.Due{{License: u.license.ID, Expiration: u.license.Expiration}}
	return outbox.Mail{Notice: n}
}

// removed is the email that told a contact of the removal.
func (u *user) removed() outbox.Mail {
	return outbox.Mail{Notice: notice.ContactRemoved(notice.ContactChange{
		Customer: u.license.Customer, Contacts: []license.Contact{contact},
	}).ToContact(contact)}
}

// link is the link of a reminder of the license.
func (u *user) link() *request.Link {
	return &request.Link{Mail: u.key, Contact: contact.Email, License: u.license.ID}
}

func (u *user) mailerSteps() []step {
	box := u.s.Outbox()
	ready := func() []outbox.Entry {
		for shard := range rowkey.Shards {
			if list, err := box.Ready(u.ctx, notice.RankUrgent, shard, 1); err != nil || len(list) > 0 {
				return list
			}
		}
		return nil
	}
	// begin begins to send the first mail that is ready, and ends that.
	begin := func(end func(outbox.Mail) error) func() error {
		return func() error {
			m, err := box.Read(u.ctx, ready()[0].ID)
			if err != nil {
				return err
			}
			if m, err = box.Begin(u.ctx, m, 1, mail.Message{ID: m.ID}); err != nil {
				return err
			}
			return end(m)
		}
	}
	return []step{
		{"Acquire", func() error { return last(box.Acquire(u.ctx, time.Minute)) }},
		{"Ready", func() error { return last(box.Ready(u.ctx, notice.RankSoon, 0, 1)) }},
		{"OldestReady", func() error { return last(box.OldestReady(u.ctx)) }},
		{"Watched", func() error { return last(u.s.Watched(u.ctx)) }},
		{"Read", func() error { return last(box.Read(u.ctx, u.key)) }},
		{"Begin", begin(func(m outbox.Mail) error { return box.RecordSent(u.ctx, m, "x") })},
		{"RecordSent", func() error { return nil }}, // with Begin
		{"Fail", begin(func(m outbox.Mail) error { return box.Fail(u.ctx, m, "a cause") })},
		{"Release", begin(func(m outbox.Mail) error { return box.Release(u.ctx, m) })},
		{"Pause", begin(func(m outbox.Mail) error { return box.Pause(u.ctx, m, "a cause", u.now, true) })},
		{"Promote", func() error {
			for shard := range rowkey.Shards {
				if n, err := box.Promote(u.ctx, shard, 1); n > 0 || err != nil {
					return err
				}
			}
			return errors.New("there is no paused mail")
		}},
		{"Doubt", begin(func(m outbox.Mail) error { return box.Doubt(u.ctx, m, "a cause", u.now) })},
		{"Settle", begin(func(m outbox.Mail) error { return box.Settle(u.ctx, m.ID, 1, "x", u.now) })},
		{"Drop", begin(func(m outbox.Mail) error { return box.Drop(u.ctx, m, "a cause") })},
		{"Expand", func() error {
			into, err := expansion.New(u.s).Expand(u.ctx, notice.RequestConfirmed(u.filed))
			if err != nil {
				return err
			}
			m, err := box.Read(u.ctx, ready()[0].ID)
			if err != nil {
				return err
			}
			into[0].ID += "-again" // it was queued with the request
			return box.Expand(u.ctx, m, into)
		}},
		{"Forget", func() error {
			e := ready()[0]
			m, err := box.Read(u.ctx, e.ID)
			if err != nil {
				return err
			}
			m.State.Status = outbox.Pointless
			return box.Forget(u.ctx, e, m)
		}},
		{"Park", func() error { return box.Park(u.ctx, ready()[0], u.now) }},
		{"Records", func() error {
			m, err := box.Read(u.ctx, u.key)
			if err != nil {
				return err
			}
			return last(u.s.Records(u.ctx, m.Notice))
		}},
		{"PassOmitted", func() error {
			records, err := u.s.Records(u.ctx, u.reminder().Notice)
			if err != nil {
				return err
			}
			return u.s.PassOmitted(u.ctx, u.reminder(), records)
		}},
		{"Suppressed", func() error { return last(u.s.Suppressed(u.ctx, "a@example.com")) }},
		{"FailSuppressed", begin(func(m outbox.Mail) error {
			return u.s.FailSuppressed(u.ctx, m, delivery.Suppression{})
		})},
	}
}

func (u *user) mailEventsSteps() []step {
	return []step{{"RecordReport", func() error {
		for _, outcome := range []outbox.Outcome{outbox.Accepted, outbox.Delivered, outbox.Returned, outbox.Bounced} {
			r := outbox.Report{Mail: u.key, ProviderID: "x", Outcome: outcome, Status: "4.4.7", At: u.now}
			if _, err := u.s.RecordReport(u.ctx, r); err != nil {
				return err
			}
		}
		return nil
	}}}
}

func (u *user) remindersSteps() []step {
	return []step{
		{"DueReminders", func() error {
			return u.s.DueReminders(u.ctx, license.DateOf(u.now), func(d store.Due) error { u.due = d; return nil })
		}},
		{"RecordReminder", func() error {
			d := u.s.NewDigest(u.license.Customer, license.DateOf(u.now), contact, u.now, 0)
			do := store.Reminding{Stage: reminder.MonthsBefore(2), Digest: d}
			if err := u.s.RecordReminder(u.ctx, u.due, do); err != nil {
				return err
			}
			return d.Release(u.ctx)
		}},
		{"NewDigest", func() error { return nil }}, // with RecordReminder
		{"NewPlanner", u.plan},
		{"RecordStopped", func() error { return u.s.RecordStopped(u.ctx, u.license, contact) }},
		{"RecordUnreached", func() error { return last(u.s.RecordUnreached(u.ctx, u.license)) }},
		{"RecordNextKey", func() error {
			return last(u.s.RecordNextKey(u.ctx, u.license, reminder.MonthsBefore(2)))
		}},
		{"RecordDailyRun", func() error { return u.s.RecordDailyRun(u.ctx, license.DateOf(u.now)) }},
		{"TellLate", some(func() (int, error) {
			at := u.now.AddDate(0, 0, 4)
			later := delivery.New(store.New(u.table, store.Options{Now: func() time.Time { return at }}))
			return later.TellLate(u.ctx)
		})},
		{"TellUnconfirmed", some(func() (int, error) { return u.s.TellUnconfirmed(u.ctx) })},
		{"CloseUnconfirmed", some(func() (int, error) {
			later := store.New(u.table, store.Options{Now: func() time.Time { return u.now.AddDate(0, 0, 31) }})
			return later.CloseUnconfirmed(u.ctx, 10)
		})},
		{"DeleteExpired", some(func() (int, error) {
			later := store.New(u.table, store.Options{Now: func() time.Time { return u.now.AddDate(0, 0, 200) }})
			return deletion.New(later).DeleteExpired(u.ctx, 1)
		})},
	}
}

// plan works out who is reminded of the license.
func (u *user) plan() error {
	return last(u.s.NewPlanner().Plan(u.ctx, store.LicenseRecord{License: u.license}, u.now))
}

// askerSteps are what an operator does about who asks.
func (u *user) askerSteps() []step {
	change := func() store.RequestChange { return store.RequestChange{ID: u.asks.ID, By: operator} }
	return []step{
		{"FileRequest", func() (err error) {
			u.asks, _, err = u.s.FileRequest(u.ctx, store.Filing{Details: u.filed.Details, Key: "asks", By: operator})
			return err
		}},
		{"LinkNewCustomer", func() error {
			return u.s.LinkNewCustomer(u.ctx, change(), storetest.NewCustomer("Asks", contact))
		}},
		{"LinkRequest", func() error {
			return u.s.LinkRequest(u.ctx, change(), u.license.Customer, u.license.Instance)
		}},
		{"AskedEnough", func() error { return last(u.s.AskedEnough(u.ctx, contact.Email)) }},
		{"AskContacts", func() error { return u.s.AskContacts(u.ctx, change(), contact) }},
		{"FileBridge", func() error {
			r := u.asks
			r.Kind = request.Replacement
			return last2(u.s.FileBridge(u.ctx, r, operator))
		}},
		{"VouchFor", func() error { return u.s.VouchFor(u.ctx, change(), request.Vouch{Note: "a note"}) }},
		{"WithdrawVouch", func() error { return u.s.WithdrawVouch(u.ctx, change()) }},
	}
}

// eraserSteps are what an admin does to erase a person.
func (u *user) eraserSteps() []step {
	keys, err := erasure.ParseKeys(base64.StdEncoding.EncodeToString(make([]byte, 32)))
	e := erasure.New(u.s.Store, secret.Fixed(keys))
	return []step{
		{"Preview", func() error { return cmp.Or(err, last(e.Preview(u.ctx, contact.Email))) }},
		{"Erase", func() error { return last(e.Erase(u.ctx, contact.Email, erasure.Options{By: operator})) }},
		{"Reports", func() error { return last(e.Reports(u.ctx)) }},
		{"Wishes", func() error { return last(e.Wishes(u.ctx)) }},
	}
}

func (u *user) consoleSteps() []step {
	s, ctx, day := u.s, u.ctx, license.DateOf(u.now)
	found, everything := search.New(s.Store), store.QueueQuery{States: request.States, Limit: 10}
	change := func() (c store.LicenseChange, err error) {
		r, err := s.License(ctx, u.license.ID)
		return store.LicenseChange{ID: u.license.ID, Version: r.Version, By: operator}, err
	}
	changed := func(f func(store.LicenseChange) error) func() error {
		return func() error {
			c, err := change()
			if err != nil {
				return err
			}
			return f(c)
		}
	}
	return []step{
		{"SessionEnded", func() error { return last(s.SessionEnded(ctx, "s1")) }},
		{"EndSession", func() error { return s.EndSession(ctx, "s1", operator, u.now.Add(time.Hour)) }},
		{"RecordRefusedSignIn", func() error { return s.RecordRefusedSignIn(ctx, operator) }},
		{"RecordSignIn", func() error { return s.RecordSignIn(ctx, operator, "Robin", "sales") }},
		{"Colleagues", func() error { return last(s.Colleagues(ctx)) }},

		{"Queue", func() error { return last(s.Queue(ctx, everything)) }},
		{"QueueLength", func() error { return last(s.QueueLength(ctx, everything)) }},
		{"Weeks", func() error { return last(s.Weeks(ctx, day, 2)) }},
		{"Retention", func() error { u.s.Retention(); return nil }},
		{"Reports", func() error { return last(deletion.New(u.s.Store).Reports(ctx, 10)) }},
		{"Upcoming", func() error { return last2(deletion.New(u.s.Store).Upcoming(ctx, license.DateOf(u.now), 10)) }},
		{"RequestsFiledIn", func() error {
			return s.RequestsFiledIn(ctx, day, func(request.Request) error { return nil })
		}},
		{"Request", func() (err error) { u.filed, err = s.Request(ctx, u.filed.ID); return err }},
		{"RequestByReference", func() error { return last(s.RequestByReference(ctx, u.filed.Reference)) }},
		{"RequestTimeline", func() error { return last(s.RequestTimeline(ctx, u.filed.ID)) }},
		{"NoteOnRequest", func() error { return s.NoteOnRequest(ctx, u.filed.ID, operator, "a note") }},
		{"Review", func() (err error) {
			v := store.Review{ID: u.filed.ID, Version: u.filed.Version, By: operator, To: request.InReview}
			u.filed, err = s.Review(ctx, v)
			return err
		}},
		{"Reviewed", func() error {
			v := store.Review{ID: u.filed.ID, By: operator, To: request.Rejected, Text: "Why?"}
			_, _, err := s.Reviewed(u.filed, v)
			return err
		}},
		{"UndoReview", func() error {
			v := store.Review{ID: u.filed.ID, Version: u.filed.Version, By: operator, To: request.Rejected}
			ended, err := s.Review(ctx, v)
			if err != nil {
				return err
			}
			if err := s.UndoReview(ctx, ended.ID, ended.Undo.Mail, operator); err != nil {
				return err
			}
			u.filed, err = s.Request(ctx, ended.ID)
			return err
		}},
		{"Replies", func() error {
			kept := reply.New(s.Table(), s.Now)
			t := request.Reply{ID: "t1", Name: "None", For: request.Rejected, Text: "None."}
			if err := kept.SaveReply(ctx, t, operator); err != nil {
				return err
			}
			t, err := kept.Reply(ctx, "t1")
			if err != nil {
				return err
			}
			return errors.Join(last(kept.Replies(ctx)), kept.DeleteReply(ctx, t, operator))
		}},
		{"Review", func() error {
			other := u.filed.Details
			other.Kind = request.Replacement
			r, _, err := storetest.FileRequest(ctx, s, other, "")
			if err != nil {
				return err
			}
			u.lost, err = s.Review(ctx, store.Review{ID: r.ID, Version: r.Version, By: operator, To: request.InReview})
			return err
		}},

		{"License", func() error { return last(s.License(ctx, u.license.ID)) }},
		{"Licenses", func() error { return last(s.Licenses(ctx, u.license.ID)) }},
		{"Contacts", func() error { return last(s.Contacts(ctx, u.license, customer.Keys)) }},
		{"Dataset", func() error { return last(s.Dataset(ctx, u.license.Server)) }},
		{"LicenseTimeline", func() error { _, _, err := s.LicenseTimeline(ctx, u.license); return err }},
		{"LicensesExpiring", func() error {
			return s.LicensesExpiring(ctx, u.license.Expiration, func(store.LicenseRecord) error { return nil })
		}},
		{"LicensesOfMonth", func() error { return last(s.LicensesOfMonth(ctx, u.license.Expiration, 10, "")) }},
		{"Expiring", func() error { _, _, err := s.Expiring(ctx, day, 12); return err }},
		{"Policy", func() error { return nil }}, // which it was given
		{"Hours", func() error { return nil }},  // which it was given
		{"NewPlanner", u.plan},
		{"RemindersDue", func() error {
			return s.RemindersDue(ctx, day, day.AddMonths(1), func(store.Due) error { return nil })
		}},
		{"UpcomingDue", func() error {
			return last(s.UpcomingDue(ctx, day, day.AddMonths(1), 10, func(store.LicenseRecord) {}))
		}},
		{"InstanceOf", func() error { return last(s.InstanceOf(ctx, u.license)) }},
		{"Unsubscribed", func() error { return last(s.Unsubscribed(ctx, u.license.ID)) }},
		{"ResubscribeContact", func() error {
			return s.ResubscribeContact(ctx, u.license, contact.Email, operator)
		}},
		{"RemindersToCome", func() error { return last(s.RemindersToCome(ctx, day, day.AddMonths(1), 10)) }},
		{"AddPackage", changed(func(c store.LicenseChange) error { return s.AddPackage(ctx, c, "example.zip") })},
		{"MuteReminders", changed(func(c store.LicenseChange) error {
			return s.MuteReminders(ctx, c, "they moved", license.Date{})
		})},
		{"UnmuteReminders", changed(func(c store.LicenseChange) error { return s.UnmuteReminders(ctx, c) })},
		{"SendKeyAgain", func() error { return u.sendKey("console") }},
		{"FileRequest", func() error {
			return last2(s.FileRequest(ctx, store.Filing{Details: u.lost.Details, Key: "console", By: operator}))
		}},
		{"IssueLicenses", func() error {
			l := u.license
			l.ID, l.NotBefore, l.Expiration = "l2", l.Expiration.AddDays(1), l.Expiration.AddMonths(12)
			return s.IssueLicenses(ctx, store.Issue{
				Licenses: []license.License{l}, By: operator, Request: u.filed.ID, RequestVersion: u.filed.Version,
				Replaces: []string{u.license.ID}, To: contact,
			})
		}},
		{"ResendKey", func() error {
			v := store.Review{ID: u.lost.ID, Version: u.lost.Version, By: operator}
			return s.ResendKey(ctx, v, "l2", contact)
		}},
		{"RevokeLicense", func() error {
			r, err := s.License(ctx, "l2")
			if err != nil {
				return err
			}
			return s.RevokeLicense(ctx, store.LicenseChange{ID: "l2", Version: r.Version, By: operator}, "a reason")
		}},

		{"ByName", func() error { return last(found.ByName(ctx, "example", 10)) }},
		{"ByServer", func() error { return last(found.ByServer(ctx, string(u.license.Server), 10)) }},
		{"ByServer", func() error { return last(found.ByServer(ctx, string(u.license.Server[:6]), 10)) }},
		{"ByEmail", func() error { return last(found.ByEmail(ctx, "a@example.com", 10)) }},
		{"ByDomain", func() error { return last(found.ByDomain(ctx, "example.com", 10)) }},

		{"MailsAbout", func() error { return last(s.MailsAbout(ctx, u.license.ID, 10)) }},
		{"QueuedMails", func() error { return last(s.QueuedMails(ctx, 10)) }},
		{"Watched", func() error { return last(s.Watched(ctx)) }},
		{"MailProvider", func() error { return last(s.MailProvider(ctx)) }},
		{"Letter", func() error {
			m, err := s.Outbox().Read(ctx, u.key)
			if err != nil {
				return err
			}
			return last(s.Letter(ctx, m.ID, m.State.Attempts))
		}},
		{"TryMailAgain", func() error {
			failed, err := s.FailedMails(ctx, 1)
			if err != nil {
				return err
			}
			return s.TryMailAgain(ctx, failed[0].ID, operator)
		}},
		{"TryFailedMailsAgain", func() error { return last(s.TryFailedMailsAgain(ctx, operator, 10)) }},
		{"FailedMails", func() error { return last(s.FailedMails(ctx, 10)) }},
		{"RecentReports", func() error { return last(s.RecentReports(ctx, u.now.AddDate(0, 0, -30), 10)) }},
		{"Unreached", func() error { return last(s.Unreached(ctx, 10)) }},
		{"Suppressed", func() error { return last(s.Suppressed(ctx, "a@example.com")) }},
		{"SendMailAgain", func() error {
			mails, err := s.MailsAbout(ctx, u.filed.ID, 1)
			if err != nil {
				return err
			}
			id := mails[0].ID
			if err := s.Outbox().Settle(ctx, id, 1, "x", u.now); err != nil {
				return err
			}
			if err := s.SendMailAgain(ctx, id, operator, "n1"); fault.KindOf(err) != fault.Conflict {
				return err
			}
			return nil // the request is answered, but all of it was read
		}},
		{"LiftSuppression", func() error {
			return last(s.LiftSuppression(ctx, store.Subject{License: u.license.ID}, "a@example.com", operator, "ok"))
		}},
	}
}

// customerSteps are what the console does about customers.
func (u *user) customerSteps() []step {
	s, ctx, id := u.s, u.ctx, u.license.Customer
	read := func(context.Context, customer.Account, []string) error { return nil }
	change := func(f func(store.AccountChange, *customer.Account) error) func() error {
		return func() error {
			a, err := s.Account(ctx, id)
			if err != nil {
				return err
			}
			return f(store.AccountChange{Customer: a.Customer.ID, Version: a.Version, By: operator}, a)
		}
	}
	move := func(from, to string, undo bool) error {
		list, err := s.Accounts(ctx, from, to)
		if err != nil {
			return err
		}
		versions := map[string]int64{}
		for _, a := range list {
			versions[a.Customer.ID] = a.Version
		}
		return s.MoveInstances(ctx, store.Move{
			Instances: []string{u.license.Instance}, To: to, Version: versions[to], Undo: undo,
			From: store.AccountChange{Customer: from, Version: versions[from], By: operator},
		})
	}
	return []step{
		{"Account", func() error { return last(s.Account(ctx, id)) }},
		{"AccountAnd", func() error { return last(s.AccountAnd(ctx, id, read)) }},
		{"AccountVersion", func() error { _, _, err := s.AccountVersion(ctx, id); return err }},
		{"Accounts", func() error { return last(s.Accounts(ctx, id, u.other)) }},
		{"CustomersByID", func() error { return last(s.CustomersByID(ctx, id)) }},
		{"CustomerByReference", change(func(_ store.AccountChange, a *customer.Account) error {
			return last(s.CustomerByReference(ctx, a.Customer.Reference))
		})},
		{"CandidatesAnd", func() error {
			none := func(context.Context, []string) error { return nil }
			return last(search.New(s.Store).CandidatesAnd(ctx, u.filed.Details, none))
		}},
		{"Customers", func() error { return last(s.Customers(ctx, "", "", 10)) }},
		{"CustomerTimeline", func() error { _, _, err := s.CustomerTimeline(ctx, []string{id}, "", 10); return err }},
		{"RequestsOf", func() error { _, _, err := s.RequestsOf(ctx, []string{id}, 10); return err }},
		{"SaveCustomer", change(func(c store.AccountChange, _ *customer.Account) error {
			return s.SaveCustomer(ctx, c, id, func(c *customer.Customer) error {
				c.Contacts = append(c.Contacts, customer.Contact{Name: "Charles Babbage", Email: "c@example.com"})
				c.Domains = []string{"example.com"}
				return nil
			})
		})},
		{"CustomerNote", func() error { return s.CustomerNote(ctx, id, operator, "a note") }},
		{"EndContract", change(func(c store.AccountChange, a *customer.Account) error {
			return s.EndContract(ctx, c, a.Contracts[0].ID, "unpaid")
		})},
		{"ReopenContract", change(func(c store.AccountChange, a *customer.Account) error {
			return s.ReopenContract(ctx, c, a.Contracts[0].ID)
		})},
		{"RetireInstance", change(func(c store.AccountChange, _ *customer.Account) error {
			return s.RetireInstance(ctx, c, u.license.Instance, true)
		})},
		{"RetireInstance", change(func(c store.AccountChange, _ *customer.Account) error {
			return s.RetireInstance(ctx, c, u.license.Instance, false)
		})},
		{"MoveInstances", func() error { return move(id, u.other, false) }},
		{"MoveInstances", func() error { return move(u.other, id, true) }},
		{"MergeCustomers", func() error {
			list, err := s.Accounts(ctx, id, u.other)
			if err != nil {
				return err
			}
			m := store.Merge{From: u.other, Into: id, By: operator}
			for _, a := range list {
				if a.Customer.ID == id {
					m.IntoVersion = a.Version
				} else {
					m.FromVersion = a.Version
				}
			}
			return s.MergeCustomers(ctx, m)
		}},
		{"UnmergeCustomer", change(func(c store.AccountChange, _ *customer.Account) error {
			return s.UnmergeCustomer(ctx, c, u.other)
		})},
	}
}

// rolePolicies returns the policies that the template adds to the role of a function.
func (t template) rolePolicies(function string) (policies []any) {
	for _, id := range keysOf(at(t.root, "Resources")) {
		r := at(t.root, "Resources", id)
		if at(r, "Type") == "AWS::IAM::RolePolicy" && at(r, "Properties", "RoleName", "Ref") == function+"Role" {
			policies = append(policies, at(r, "Properties", "PolicyDocument"))
		}
	}
	return policies
}

// checkPermissions: a function may do exactly what it does, on the table and nothing else; the mailer sends in one
// name.
func checkPermissions(t template, actions map[string]touched) (problems []string) {
	for id, f := range t.functions() {
		granted := map[string]bool{}
		for _, policy := range append(list(f["Policies"]), t.rolePolicies(id)...) {
			for _, statement := range list(at(policy, "Statement")) {
				resource := at(statement, "Resource")
				for _, action := range list(at(statement, "Action")) {
					action := str(action)
					granted[action] = true
					switch {
					case resource == "*" && action != "ses:GetSendQuota":
						problems = append(problems, fmt.Sprintf("%s may %s on every resource", id, action))
					case strings.HasPrefix(action, "dynamodb:") && at(resource, "GetAtt") != "Table.Arn":
						problems = append(problems,
							fmt.Sprintf("%s may %s on %v, not on the table", id, action, resource))
					case action == "ses:SendRawEmail" &&
						at(statement, "Condition", "StringEquals", "ses:FromAddress") == nil:
						problems = append(problems, fmt.Sprintf("%s may %s in any name", id, action))
					}
				}
			}
		}
		for action := range actions[folder(id)] {
			if !granted[action] {
				problems = append(problems, fmt.Sprintf("%s may not %s, which it does", id, action))
			}
			delete(granted, action)
		}
		for action := range granted {
			problems = append(problems, fmt.Sprintf("%s may %s, which it never does", id, action))
		}
	}
	return problems
}

// public are the functions with a database that anybody can call.
var public = []string{"AccountFunction", "RequestsFunction"}

// checkPartitions: a function that anybody can call is held to the partitions that it touches, apart for reading and
// for writing. A partition that is allowed and that no call touches is a problem too, and so is one of a kind that only
// other functions touch.
func checkPartitions(t template, actions map[string]touched) (problems []string) {
	all := map[string]bool{}
	for _, touched := range actions {
		for _, partitions := range touched {
			maps.Copy(all, partitions)
		}
	}
	for id, f := range t.functions() {
		for _, policy := range list(f["Policies"]) {
			for _, statement := range list(at(policy, "Statement")) {
				held := slices.Contains(public, id) || at(statement, "Condition") != nil
				if at(statement, "Resource", "GetAtt") != "Table.Arn" || !held {
					continue
				}
				touched := map[string]bool{}
				for _, action := range list(at(statement, "Action")) {
					maps.Copy(touched, actions[folder(id)][str(action)])
				}
				for _, problem := range checkLeadingKeys(statement, touched, all) {
					problems = append(problems, fmt.Sprintf("%s, %v: %s", id, at(statement, "Action"), problem))
				}
			}
		}
	}
	return problems
}

// checkLeadingKeys compares the condition of a statement with the partitions that its calls touch, of all that there
// are. ForAllValues is true of a request that names no key, which the Null condition refuses (IAM user guide, "Set
// operators for multivalued context keys").
func checkLeadingKeys(statement any, touched, all map[string]bool) (problems []string) {
	const key = "dynamodb:LeadingKeys"
	condition := at(statement, "Condition")
	if at(condition, "Null", key) != "false" {
		problems = append(problems, "requests that name no partition are allowed")
	}
	unused, kinds := map[string]bool{}, map[string]bool{}
	for _, pattern := range list(at(condition, "ForAllValues:StringLike", key)) {
		unused[str(pattern)] = true
	}
	allowed := slices.Sorted(maps.Keys(unused))
	for _, pattern := range allowed {
		if pk := onlyPartition(pattern, touched); pk != "" && pk != pattern {
			problems = append(problems, pattern+" allows more than "+pk+", which is all that calls touch")
		}
	}
	for _, pk := range slices.Sorted(maps.Keys(touched)) {
		kinds[kindOfPartition(pk)] = true
		known := false
		for _, pattern := range allowed {
			if isLike(pk, pattern) {
				known = true
				delete(unused, pattern)
			}
		}
		if !known {
			problems = append(problems, "the partition "+pk+" is not allowed")
		}
	}
	for _, pattern := range slices.Sorted(maps.Keys(unused)) {
		problems = append(problems, "no call touches "+pattern)
	}
	for _, pk := range slices.Sorted(maps.Keys(all)) {
		like := func(pattern string) bool { return isLike(pk, pattern) }
		if kind := kindOfPartition(pk); !kinds[kind] && slices.ContainsFunc(allowed, like) {
			kinds[kind] = true // said once
			problems = append(problems, kind+" is allowed, which only others touch")
		}
	}
	return problems
}

// onlyPartition returns the one partition that is like a pattern and touched, if it has no part that varies.
func onlyPartition(pattern string, touched map[string]bool) (only string) {
	for pk := range touched {
		if !isLike(pk, pattern) {
			continue
		}
		if only != "" || kindOfPartition(pk) != pk {
			return ""
		}
		only = pk
	}
	return only
}

// isLike reports whether a text is like a pattern of IAM's StringLike with asterisks.
func isLike(text, pattern string) bool {
	parts := strings.Split(pattern, "*")
	last := len(parts) - 1
	text, ok := strings.CutPrefix(text, parts[0])
	if !ok || last == 0 {
		return ok && text == ""
	}
	for _, part := range parts[1:last] {
		if _, text, ok = strings.Cut(text, part); !ok {
			return false
		}
	}
	return strings.HasSuffix(text, parts[last])
}

// waking says which rows wake the functions that read the stream.
var waking = map[string]func(table.Write) bool{"MailerFunction": outbox.Wakes, "BridgeFunction": bridge.Wakes}

// checkWaking: of the rows that are created, the stream shows each function those that it acts on and no others.
func checkWaking(t template, rows []table.Row) (problems []string) {
	for id, f := range t.functions() {
		for _, name := range keysOf(f["Events"]) {
			if at(f["Events"], name, "Type") != "DynamoDB" {
				continue
			}
			if waking[id] == nil {
				problems = append(problems, id+": it is not known which rows wake it")
				continue
			}
			wakes, err := streamFilter(at(f["Events"], name, "Properties"))
			if err != nil {
				problems = append(problems, fmt.Sprintf("%s: %v", id, err))
				continue
			}
			for _, row := range rows {
				if got := wakes(row); got != waking[id](table.Set(row)) {
					problems = append(problems, fmt.Sprintf("%s: %s (%s) wakes %s", id, row.Key, row.Type,
						map[bool]string{true: id, false: "nobody"}[got]))
				}
			}
		}
	}
	return problems
}

// streamFilter returns which new rows the filter of a stream's source shows.
func streamFilter(source any) (wakes func(table.Row) bool, err error) {
	var pattern struct {
		EventName []string
		Dynamodb  struct{ Keys map[string]struct{ S []any } }
	}
	filters := list(at(source, "FilterCriteria", "Filters"))
	if len(filters) != 1 {
		return nil, errors.New("its stream has no filter")
	}
	if err := json.Unmarshal([]byte(str(at(filters[0], "Pattern"))), &pattern); err != nil {
		return nil, fmt.Errorf("the stream's filter: %w", err)
	}
	if !slices.Equal(pattern.EventName, []string{"INSERT"}) {
		return nil, errors.New("the stream's filter is not for new rows only")
	}
	return func(row table.Row) bool {
		return slices.ContainsFunc(pattern.Dynamodb.Keys["PK"].S, func(rule any) bool {
			if prefix := at(rule, "prefix"); prefix != nil {
				return strings.HasPrefix(row.PK, str(prefix))
			}
			return rule == row.PK
		})
	}, nil
}

// tableMade is what table/dynamo asks for when it creates a table, as the members of a template's table.
func tableMade(t *testing.T) map[string]any {
	t.Helper()
	made := map[string]any{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body map[string]any
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		switch _, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), "."); operation {
		case "CreateTable", "UpdateTimeToLive":
			maps.Copy(made, body)
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		fmt.Fprint(w, `{"Table":{"TableStatus":"ACTIVE"}}`)
	}))
	defer server.Close()
	client := dynamodb.New(dynamodb.Options{
		BaseEndpoint: &server.URL, Region: "us-east-1", RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
	})
	if err := dynamo.CreateTable(t.Context(), client, "t"); err != nil {
		t.Fatal(err)
	}
	return made
}

// checkTable: the table is the one that the engines on one's own machine get, and outlives its stack.
func checkTable(t template, made map[string]any) (problems []string) {
	r := at(t.root, "Resources", "Table")
	for _, key := range []string{"KeySchema", "AttributeDefinitions", "BillingMode", "StreamSpecification",
		"TimeToLiveSpecification"} {
		want := made[key]
		if m, ok := want.(map[string]any); ok {
			delete(m, "StreamEnabled") // CloudFormation has no such member
		}
		// Everything in a template reads as text.
		got, wanted := fmt.Sprint(at(r, "Properties", key)), fmt.Sprint(want)
		if got != wanted {
			problems = append(problems, fmt.Sprintf("Table: %s is %s; table/dynamo creates it with %s", key, got,
				wanted))
		}
	}
	for _, id := range keysOf(at(t.root, "Resources")) {
		r := at(t.root, "Resources", id)
		keeps := id == "HashSecret" || slices.Contains([]any{"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key",
			"AWS::Cognito::UserPool", "AWS::Backup::BackupVault"}, at(r, "Type"))
		if keeps && (at(r, "DeletionPolicy") != "RetainExceptOnCreate" || at(r, "UpdateReplacePolicy") != "Retain") {
			problems = append(problems, id+" is deleted with the stack")
		}
	}
	return problems
}
