// Package generator is the license generator of the sales console. From a request, or from a license that is renewed or
// replaced, it makes a form with defaults (Begin); from the form a review (Review): the licenses, how they differ from the
// server's previous one, what asks for a second confirmation, the mail; and from a confirmed review the licenses themselves
// (Issue): signed, checked, recorded and mailed, or nothing at all.
//
// Its pages are in functions/console/site. How a key is written and checked is decided in shared/license, what is kept in shared/store, what
// mails say in shared/mail.
package generator

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"marketplace/catalog"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/request"
	"marketplace/shared/store"
)

// Records is what is on record; shared/store's Store is one.
type Records interface {
	// Request and License read one; a NotFound fault where there is none.
	Request(ctx context.Context, id string) (request.Request, error)
	License(ctx context.Context, id string) (store.LicenseRecord, error)
	// Dataset reads what is on record about a server.
	Dataset(ctx context.Context, server license.Server) (store.Dataset, error)
	// FindByEmail finds the licenses of a person.
	FindByEmail(ctx context.Context, email string, limit int) (store.Found, error)
	// IssueLicenses is one transaction; store.ErrIssued where it was made before, a Conflict fault where something changed.
	IssueLicenses(ctx context.Context, i store.Issue, mails []mail.Message) error
	// AddPackage lists a package on a license, once.
	AddPackage(ctx context.Context, c store.LicenseChange, file string) error
}

// Options are what a Generator is made of.
type Options struct {
	Records  Records
	Catalog  func() (*catalog.Catalog, error)
	Issuer   func() (license.Issuer, error) // called when a license is issued, not before
	Packager Packager                       // nil: no packages are tailored here
	Site     letter.Writer
	Now      func() time.Time
}

// Generator issues licenses. Its methods may be called at once.
type Generator struct{ Options }

// New makes a generator.
func New(o Options) *Generator { return &Generator{o} }

// Origin is where an operator begins: at most one of the fields is set. None is a license without a request.
type Origin struct {
	Request  string // the ID of the request that is answered
	Renews   string // the ID of the license that is renewed
	Replaces string // the ID of the license that is replaced
}

// today is the day on which a license is issued.
func (g *Generator) today() license.Date { return license.DateOf(g.Now()) }

// newID makes the ID of a license.
func (g *Generator) newID() string { return store.NewID(g.Now()) }

// validID reports whether newID can have made an ID.
func validID(id string) bool {
	_, err := ulid.ParseStrict(id)
	return err == nil && id == strings.ToLower(id)
}

// nthID is the ID of the n-th license of an issue, the first being 0: one issue has the same IDs however often it is sent.
func nthID(id string, n int) string {
	u, err := ulid.ParseStrict(id)
	if err != nil {
		panic("generator: " + id + " is not an ID")
	}
	for carry, i := n, len(u)-1; carry > 0 && i >= 6; i-- { // the time stays as it is
		carry += int(u[i])
		u[i] = byte(carry)
		carry >>= 8
	}
	return strings.ToLower(u.String())
}

// newToken makes the part of a package's name that nobody can guess.
func newToken() string { return strings.ToLower(rand.Text()) }
