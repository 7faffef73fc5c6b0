package outbox

import (
	"slices"
	"strings"
)

// Fate is what became of a mail after the provider accepted it, as far as its reports tell.
type Fate string

// Every Fate.
const (
	FateUnknown  Fate = ""         // nothing but that it was accepted, if that
	FateDelayed  Fate = "delayed"  // the provider is still trying
	FateArrived  Fate = "arrived"  // the recipient's server took it and did not return it
	FateReturned Fate = "returned" // it came back: it did not arrive, and another one may
	FateBounced  Fate = "bounced"  // it came back for good: the address accepts no mail
	FateRefused  Fate = "refused"  // the provider did not send it
)

// DidNotArrive reports whether the mail is known not to have arrived.
func (f Fate) DidNotArrive() bool { return f == FateReturned || f == FateBounced || f == FateRefused }

// FateOf returns what became of a mail, whatever the order of its reports. A mail that was sent twice, because the
// outcome of a call was in doubt, arrived if one of the two did.
func FateOf(reports []Report) (fate Fate) {
	worst := map[string]Fate{} // by call
	for _, r := range reports {
		if f := r.fate(reports); slices.Index(fates, f) > slices.Index(fates, worst[r.ProviderID]) {
			worst[r.ProviderID] = f
		}
	}
	for _, f := range worst {
		if fate != FateArrived && (f == FateArrived || slices.Index(fates, f) > slices.Index(fates, fate)) {
			fate = f
		}
	}
	return fate
}

// fates are in the order in which one undoes another about the same call: a bounce undoes a delivery.
var fates = []Fate{FateUnknown, FateDelayed, FateArrived, FateReturned, FateRefused, FateBounced}

// fate is what a report says, among all of its mail.
func (r Report) fate(all []Report) Fate {
	switch {
	case r.Outcome == Delayed:
		return FateDelayed
	case r.Outcome == Bounced, r.OnProvidersList():
		return FateBounced
	case r.Outcome == Refused:
		return FateRefused
	case r.Outcome == Returned && (r.Status != "" || !taken(all, r.ProviderID)):
		return FateReturned
	case r.Outcome == Delivered, r.Outcome == Complained, r.Outcome == Returned:
		return FateArrived // whoever complains, or answers automatically, has it
	}
	return FateUnknown
}

// taken reports whether the recipient's server took the mail of a call.
func taken(all []Report, providerID string) bool {
	return slices.ContainsFunc(all, func(r Report) bool {
		return r.ProviderID == providerID &&
			(r.Outcome == Delivered || r.Outcome == Complained && !r.OnProvidersList())
	})
}

// SaysFailed reports whether a report says that the mail did not arrive, given all reports about the mail. A return
// without a status code after a delivery does not: it is an automatic reply.
func (r Report) SaysFailed(all []Report) bool { return r.fate(all).DidNotArrive() }

// OnProvidersList reports whether the provider did not send the mail because the address is on a suppression list of
// its own. The detail of a report begins with the provider's word for the subtype.
func (r Report) OnProvidersList() bool {
	subtype, _, _ := strings.Cut(r.Detail, ",")
	return (r.Outcome == Bounced || r.Outcome == Complained) && slices.Contains(providersLists, subtype)
}

var providersLists = []string{"OnAccountSuppressionList", "OnTenantSuppressionList", "Suppressed"}
