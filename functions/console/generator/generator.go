// Package generator is the license generator of the sales console. Begin turns a request, a license, or a contract into
// a form with defaults. Draft works out what a form would issue: the licenses with the instances and the contract that
// they are for, how each differs from the instance's previous license, the warnings to confirm, and the email. Issue
// issues a confirmed draft: every license is signed, checked, recorded and emailed.
//
// Its pages are in functions/console/site. shared/customer has the rules of customers and contracts, shared/license
// writes and checks keys, shared/store keeps the records, shared/mail/letter writes the email.
package generator

import (
	"context"
	"time"

	"marketplace/catalog"
	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/mail/letter"
	"marketplace/shared/reference"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/search"
)

// Records reads and writes what is on record; *store.Store implements it.
type Records interface {
	// Request, License and Account read one record. They return a NotFound fault if the ID is unknown.
	Request(ctx context.Context, id string) (request.Request, error)
	License(ctx context.Context, id string) (store.LicenseRecord, error)
	Account(ctx context.Context, id string) (*customer.Account, error)
	// CustomerByReference finds the customer of its own reference or of that of a contract.
	CustomerByReference(ctx context.Context, r reference.Reference) (id string, err error)
	// Dataset reads which instances have a server's dataset.
	Dataset(ctx context.Context, server license.Server) (store.Dataset, error)
	// Accounts reads several customers at once.
	Accounts(ctx context.Context, ids ...string) ([]*customer.Account, error)
	// IssueLicenses records an issue in one transaction. It returns store.ErrIssued if the same issue was recorded
	// before, a Conflict fault if a record changed since it was read, and a TooLarge fault if one transaction cannot
	// hold the issue.
	IssueLicenses(ctx context.Context, i store.Issue) error
	// AddPackage lists a custom package on a license, once.
	AddPackage(ctx context.Context, c store.LicenseChange, file string) error
}

// Search finds what is on record; *search.Index implements it.
type Search interface {
	// CandidatesAnd finds the customers that a request may be about. It calls also with the IDs of those with a strong
	// basis as soon as it knows them.
	CandidatesAnd(ctx context.Context, d request.Details, also func(ctx context.Context, strong []string) error) (
		[]search.Candidate, error)
}

// Options configure a Generator.
type Options struct {
	Records  Records
	Search   Search
	Catalog  func() (*catalog.Catalog, error)
	Issuer   func() (license.Issuer, error) // called only when a license is issued
	Packager Packager                       // nil: custom packages are not available
	Letters  letter.Writer
	Now      func() time.Time
	// PublicMailDomains are further domains that are no customer's (customer.CheckDomain).
	PublicMailDomains []string
	// OneOperator is set where sales are one person: what takes the word of a second one takes a confirmation instead.
	OneOperator bool
}

// Generator issues licenses. It is safe for concurrent use.
type Generator struct{ Options }

// New returns a generator.
func New(o Options) *Generator { return &Generator{o} }
