// Package generator is the license generator of the sales console. Begin turns a request, or a license to renew or
// replace, into a form with defaults. Draft works out what a form would issue: the licenses, how they differ from the
// server's previous license, the warnings to confirm, and the email. Issue issues a confirmed draft: all its licenses
// are signed, checked, recorded and emailed, or nothing happens at all.
//
// Its pages are in functions/console/site. shared/license writes and checks keys, shared/store keeps the records,
// shared/mail/letter writes the email.
package generator

import (
	"context"
	"time"

	"marketplace/catalog"
	"marketplace/shared/license"
	"marketplace/shared/mail/letter"
	"marketplace/shared/request"
	"marketplace/shared/store"
)

// Records reads and writes what is on record; *store.Store implements it.
type Records interface {
	// Request and License read one record. They return a NotFound fault if the ID is unknown.
	Request(ctx context.Context, id string) (request.Request, error)
	License(ctx context.Context, id string) (store.LicenseRecord, error)
	// Dataset reads the licenses of a server's dataset.
	Dataset(ctx context.Context, server license.Server) (store.Dataset, error)
	// FindByEmail finds the licenses that list an email address as a contact.
	FindByEmail(ctx context.Context, email string, limit int) (store.Found, error)
	// IssueLicenses records an issue in one transaction. It returns store.ErrIssued if the same issue was recorded
	// before, a Conflict fault if a record changed since it was read, and a TooLarge fault if one transaction cannot
	// hold the issue.
	IssueLicenses(ctx context.Context, i store.Issue) error
	// AddPackage lists a custom package on a license, once.
	AddPackage(ctx context.Context, c store.LicenseChange, file string) error
}

// Options configure a Generator.
type Options struct {
	Records  Records
	Catalog  func() (*catalog.Catalog, error)
	Issuer   func() (license.Issuer, error) // called only when a license is issued
	Packager Packager                       // nil: custom packages are not available
	Letters  letter.Writer
	Now      func() time.Time
}

// Generator issues licenses. It is safe for concurrent use.
type Generator struct{ Options }

// New returns a generator.
func New(o Options) *Generator { return &Generator{o} }
