package site

import (
	"context"
	"time"

	"marketplace/functions/console/generator"
	"marketplace/shared/alarm"
	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/officehours"
	"marketplace/shared/reference"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
	"marketplace/shared/retention"
	"marketplace/shared/store"
	"marketplace/shared/store/audit"
	"marketplace/shared/store/deletion"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/search"
)

// Store is what the console reads and changes; *store.Store implements it and documents the methods.
type Store interface {
	generator.Records

	// The queue and its requests.
	Queue(context.Context, store.QueueQuery) (store.QueuePage, error)
	QueueLength(context.Context, store.QueueQuery) (int, error)
	RequestTimeline(ctx context.Context, id string) ([]store.Event, error)
	RequestsFiledIn(ctx context.Context, week license.Date, f func(request.Request) error) error
	RequestByReference(ctx context.Context, r reference.Reference) (id string, err error)
	Review(context.Context, store.Review) (request.Request, error)
	Reviewed(request.Request, store.Review) (request.Request, notice.Notice, error)
	UndoReview(ctx context.Context, id, mailID, by string) error
	ResendKey(ctx context.Context, v store.Review, licenseID string, to license.Contact) error
	NoteOnRequest(ctx context.Context, id, by, note string) error
	Weeks(ctx context.Context, day license.Date, weeks int) ([]store.Week, error)

	// Who asks for a request.
	LinkRequest(ctx context.Context, c store.RequestChange, customerID, instance string) error
	LinkNewCustomer(ctx context.Context, c store.RequestChange, added customer.Customer) error
	AskedEnough(ctx context.Context, contact string) (bool, error)
	AskContacts(ctx context.Context, c store.RequestChange, contacts ...license.Contact) error
	FileRequest(ctx context.Context, f store.Filing) (r request.Request, created bool, err error)
	FileBridge(ctx context.Context, of request.Request, by string) (r request.Request, created bool, err error)
	VouchFor(ctx context.Context, c store.RequestChange, v request.Vouch) error
	WithdrawVouch(ctx context.Context, c store.RequestChange) error

	// How long what is kept.
	Retention() retention.Policy

	// Colleagues lists who signed in to the console.
	Colleagues(context.Context) ([]store.Colleague, error)

	// Licenses.
	LicenseTimeline(ctx context.Context, l license.License) (events []store.Event, more bool, err error)
	LicensesExpiring(ctx context.Context, month license.Date, f func(store.LicenseRecord) error) error
	Licenses(ctx context.Context, ids ...string) ([]store.LicenseRecord, error)
	Contacts(ctx context.Context, l license.License, p customer.Purpose) ([]license.Contact, error)
	LicensesOfMonth(ctx context.Context, month license.Date, limit int, after string) (store.LicensesPage, error)
	Expiring(ctx context.Context, from license.Date, months int) (
		[]store.ExpiringMonth, map[store.Class]store.Count, error)
	RemindersToCome(ctx context.Context, from, through license.Date, limit int) (int, error)
	MuteReminders(ctx context.Context, c store.LicenseChange, reason string, until license.Date) error
	UnmuteReminders(ctx context.Context, c store.LicenseChange) error
	Policy() reminder.Policy
	// Hours says when the office is open, and a reply is due.
	Hours() officehours.Hours
	NewPlanner() *delivery.Planner
	UpcomingDue(ctx context.Context, today, through license.Date, limit int, f func(store.LicenseRecord)) (
		complete bool, err error)
	RemindersDue(ctx context.Context, first, last license.Date, f func(store.Due) error) error
	Unsubscribed(ctx context.Context, licenseID string) ([]store.Unsubscription, error)
	ResubscribeContact(ctx context.Context, l license.License, email, by string) error
	InstanceOf(ctx context.Context, l license.License) (customer.Instance, error)
	RevokeLicense(ctx context.Context, c store.LicenseChange, reason string) error
	SendKeyAgain(ctx context.Context, id, by string, to license.Contact, nonce string) error

	// Customers, in addition to those of generator.Records.
	Customers(ctx context.Context, from, after string, limit int) (store.CustomersPage, error)
	AccountVersion(ctx context.Context, id string) (customer.Customer, int64, error)
	CustomersByID(ctx context.Context, ids ...string) (map[string]store.CustomerSummary, error)
	AccountAnd(ctx context.Context, id string,
		also func(ctx context.Context, known customer.Account, merged []string) error) (*customer.Account, error)
	CustomerTimeline(ctx context.Context, customers []string, before string, n int) (
		events []store.Event, next string, err error)
	RequestsOf(ctx context.Context, customers []string, limit int) (list []request.Summary, more bool, err error)
	SaveCustomer(ctx context.Context, c store.AccountChange, id string, edit func(*customer.Customer) error) error
	CustomerNote(ctx context.Context, id, by, note string) error
	EndContract(ctx context.Context, c store.AccountChange, id, reason string) error
	ReopenContract(ctx context.Context, c store.AccountChange, id string) error
	RetireInstance(ctx context.Context, c store.AccountChange, id string, retired bool) error
	MoveInstances(context.Context, store.Move) error
	MergeCustomers(context.Context, store.Merge) error
	UnmergeCustomer(ctx context.Context, c store.AccountChange, id string) error

	// Emails and their delivery.
	Watched(ctx context.Context) (alarm.Readings, error)
	MailProvider(ctx context.Context) (outbox.Provider, error)
	Letter(ctx context.Context, id string, attempt int) (mail.Message, error)
	MailsAbout(ctx context.Context, id string, limit int) ([]outbox.Mail, error)
	QueuedMails(ctx context.Context, limit int) (outbox.Queued, error)
	FailedMails(ctx context.Context, limit int) ([]outbox.FailedMail, error)
	RecentReports(ctx context.Context, since time.Time, limit int) ([]delivery.RecentReport, error)
	Suppressed(ctx context.Context, email string) (*delivery.Suppression, error)
	TryMailAgain(ctx context.Context, id, by string) error
	TryFailedMailsAgain(ctx context.Context, by string, limit int) (n int, err error)
	SendMailAgain(ctx context.Context, id, by, nonce string) error
	LiftSuppression(ctx context.Context, on store.Subject, email, by, reason string) (providersList bool, err error)
	Unreached(ctx context.Context, limit int) ([]store.Summary, error)
}

// Audit reads the audit, and records what people take out of the console; *audit.Log implements it and documents the
// methods.
type Audit interface {
	Page(ctx context.Context, q audit.Query, limit int, after string) (audit.Page, error)
	Each(ctx context.Context, q audit.Query, f func(audit.Entry) error) error
	RecordExport(ctx context.Context, by, name, filter string) error
	RecordKeyRead(ctx context.Context, by string, how store.Action, licenseID, customer string) error
	RecordLetterRead(ctx context.Context, by string, about store.Subject, customer string) error
}

// Deletion tells what was deleted, and what will be; deletion.Store implements it and documents the methods.
type Deletion interface {
	Reports(ctx context.Context, limit int) ([]deletion.Report, error)
	Upcoming(ctx context.Context, through license.Date, limit int) (list []deletion.Upcoming, more bool, err error)
}

// Search finds what is on record; *search.Index implements it and documents the methods.
type Search interface {
	generator.Search

	ByName(ctx context.Context, name string, limit int) (search.Found, error)
	ByEmail(ctx context.Context, email string, limit int) (search.Found, error)
	ByDomain(ctx context.Context, domain string, limit int) (search.Found, error)
	ByServer(ctx context.Context, text string, limit int) (search.Found, error)
}
