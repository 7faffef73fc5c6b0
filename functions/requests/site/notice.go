package site

import (
	"context"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/logging"
)

// notice is what our records say of the license of a key. It is no reason and makes no key invalid: the reasons are a closed
// list (license.Codes, DESIGN §7) of what a server finds out offline. A server goes on taking the key of a license that was
// revoked here; who asks us is told.
type notice struct {
	Code     string `json:"code"` // for good, like those of reasons
	Sentence string `json:"sentence"`
	Remedy   string `json:"remedy"`
}

// Codes of notices.
const (
	revoked     = "revoked"
	replaced    = "replaced"
	superseded  = "superseded"    // another license of the server follows it
	notLookedUp = "not-looked-up" // nobody can say whether there is another notice
)

// notices are those of an authentic key. A license that is not on record here has none.
func (s *site) notices(ctx context.Context, k license.Key) []notice {
	recorded, err := s.store.License(ctx, k.ID)
	l := recorded.License
	switch {
	case fault.KindOf(err) == fault.NotFound:
	case err != nil:
		s.log.WarnContext(ctx, "license of a key not looked up", logging.Error(err))
		return []notice{{notLookedUp, "Our records cannot be read at the moment, so this is what the key itself says.", "To learn whether the license was revoked or replaced, check the key again in a few minutes."}}
	case l.ReplacedBy != "":
		return []notice{{replaced, "We replaced this license on " + license.DateOf(l.Revoked).Long() + " by the license " + l.ReplacedBy + ".", "Set the key of that one, which came by mail, in the place of this one."}}
	case !l.Revoked.IsZero():
		return []notice{{revoked, "We revoked this license on " + license.DateOf(l.Revoked).Long() + ".", "Do not use the key any more. If you do not know why, ask us."}}
	case l.Successor != "":
		return []notice{{superseded, "The license " + l.Successor + " follows this one.", "Its key came by mail: set it as soon as it is valid."}}
	}
	return []notice{}
}
