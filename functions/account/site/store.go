package site

import (
	"context"

	"marketplace/shared/license"
	"marketplace/shared/officehours"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/outbox"
)

// Store keeps what the account shows and changes. shared/store implements it.
type Store interface {
	// Licenses reads licenses, without those that are not on record.
	Licenses(ctx context.Context, ids ...string) ([]store.LicenseRecord, error)
	// FileRequest records a request of the person who is signed in, and its emails. What was filed with the same key
	// before is returned with created false.
	FileRequest(ctx context.Context, f store.Filing) (r request.Request, created bool, err error)
	// TellLoc notes how many lines of code an instance of a customer has, as a contact says.
	TellLoc(ctx context.Context, customer, instance, who string, loc int64) error
	// MailsAbout reads the emails about a license, oldest first, at most limit.
	MailsAbout(ctx context.Context, id string, limit int) ([]outbox.Mail, error)
	// Suppressed reads why mail is not sent to an address; nil if it is not suppressed.
	Suppressed(ctx context.Context, email string) (*delivery.Suppression, error)
	// SendKeyAgain emails the key of a license to a contact, once for each nonce.
	SendKeyAgain(ctx context.Context, id, by string, to license.Contact, nonce string) error
	// Policy says when customers are reminded, and from when on pages warn.
	Policy() reminder.Policy
	// Hours says when the office is open, and a reply is due.
	Hours() officehours.Hours
	// FileBridge records the request for a bridge key ahead of one for a replacement; by is "" for the customer. The
	// same again is returned with created false.
	FileBridge(ctx context.Context, of request.Request, by string) (r request.Request, created bool, err error)
}
