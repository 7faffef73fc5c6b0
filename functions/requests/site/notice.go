package site

import (
	"context"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/logging"
)

// notice is what our records say about the license of a key. It never makes a key invalid: reasons are a closed list
// (license.Codes, license-keys.md, "Reasons") of what a server finds out offline, and a server keeps accepting the
// key of a license that we revoked.
type notice struct {
	Code     string `json:"code"` // stable, like the codes of reasons
	Sentence string `json:"sentence"`
	Remedy   string `json:"remedy"`
}

// Codes of notices.
const (
	revoked     = "revoked"
	replaced    = "replaced"
	superseded  = "superseded"    // the server has a newer license
	notLookedUp = "not-looked-up" // our records are unavailable
)

// notices returns the license on record for an authentic key, and what our records say about it. A license that we have
// no record of has no notices.
func (s *site) notices(ctx context.Context, k license.Key) (license.License, []notice) {
	l, list := s.lookUp(ctx, k)
	if list == nil {
		list = []notice{}
	}
	return l, list
}

func (s *site) lookUp(ctx context.Context, k license.Key) (license.License, []notice) {
	recorded, err := s.store.License(ctx, k.ID)
	l := recorded.License
	switch {
	case fault.KindOf(err) == fault.NotFound:
	case err != nil:
		s.log.WarnContext(ctx, "license of a key not looked up", logging.Error(err))
		return l, []notice{{notLookedUp,
			"We cannot read our records at the moment, so this result is based on the key alone.",
			"To find out whether the license was revoked or replaced, check the key again in a few minutes."}}
	case l.ReplacedBy != "":
		return l, []notice{{replaced, "We replaced this license on " + license.DateOf(l.Revoked).Long() +
			" with license " + l.ReplacedBy + ".", "Install the key of the new license instead. We emailed it to you."}}
	case !l.Revoked.IsZero():
		return l, []notice{{revoked, "We revoked this license on " + license.DateOf(l.Revoked).Long() + ".",
			"Stop using the key. If you do not know why, ask us."}}
	case l.Successor != "":
		return l, []notice{{superseded, "License " + l.Successor + " supersedes this one.",
			"We emailed you its key: install it as soon as it is valid."}}
	}
	return l, nil
}
