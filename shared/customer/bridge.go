package customer

import (
	"fmt"
	"slices"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/request"
)

// Bridge is a bridge key as its instance has it on record: a key with the terms of one of its licenses, for another
// server ID and for a few days.
type Bridge struct {
	License
	Bridges string    `json:"bridges"` // the ID of the license whose terms it has
	Issued  time.Time `json:"issued"`  // UTC
}

// BridgeEvery is how many days after a bridge key an instance can get the next one.
const BridgeEvery = 90

// BridgeOf returns what an instance has on record about a bridge key.
func BridgeOf(l license.License) Bridge {
	return Bridge{License: LicenseOf(l), Bridges: l.Bridges, Issued: l.Recorded}
}

// Bridge returns the bridge key of the instance that is valid on a day; ok is false if there is none.
func (i Instance) Bridge(today license.Date) (b Bridge, ok bool) {
	for _, b := range slices.Backward(i.Bridges) {
		if b.Valid(today) {
			return b, true
		}
	}
	return Bridge{}, false
}

// NextBridge is when the instance can get its next bridge key: BridgeEvery days after the last one, also if that was
// replaced or revoked. The zero Time if it never had one.
func (i Instance) NextBridge() (next time.Time) {
	for _, b := range i.Bridges {
		if at := b.Issued.AddDate(0, 0, BridgeEvery); at.After(next) {
			next = at
		}
	}
	return next
}

// BridgeAsked is a request for a bridge key, ahead of the replacement that a request asks for.
type BridgeAsked struct {
	Request      request.Request // for the replacement
	BySales      bool            // a colleague of ours asks for it
	DomainShared bool            // Asker.DomainShared
	// Elsewhere is set if another customer has or had a server with the same data.
	Elsewhere bool
}

// NoBridge is why nobody gets a bridge key for a request. Sales can still issue the replacement.
type NoBridge struct {
	Code     BridgeCode
	Sentence string // for the customer and for sales
}

func (e *NoBridge) Error() string { return "no bridge key: " + string(e.Code) }

// AboutServer reports whether another server ID might get a bridge key.
func (e *NoBridge) AboutServer() bool {
	switch e.Code {
	case BridgeSameServer, BridgeUpgraded, BridgeDate, BridgeKnown:
		return true
	}
	return false
}

// BridgeCode names a reason for NoBridge.
type BridgeCode string

// Every reason, in the order in which they are looked for.
const (
	BridgeClosed     BridgeCode = "closed"      // the request was answered
	BridgeOtherKind  BridgeCode = "kind"        // nothing is replaced
	BridgeNoInstance BridgeCode = "instance"    // no instance in use, or nobody knows which
	BridgeNoStanding BridgeCode = "standing"    // the person may not ask for it
	BridgeRefused    BridgeCode = "refused"     // a contact said that the request is not theirs
	BridgeNoLicense  BridgeCode = "license"     // it has no license that is valid today
	BridgeSameServer BridgeCode = "same-server" // the license is for that server
	BridgeUpgraded   BridgeCode = "upgraded"    // the license works on that server too
	BridgeDate       BridgeCode = "date"        // no key works for that server ID
	BridgeRunning    BridgeCode = "running"     // the old server goes on, so that the new one is a copy
	BridgeUse        BridgeCode = "environment" // it is production for staging, or the other way round
	BridgeKnown      BridgeCode = "known"       // the server ID is that of another instance
	BridgeTooSoon    BridgeCode = "too-soon"    // the last one was BridgeEvery days ago or less
)

// BridgeTerms is what a bridge key is issued for.
type BridgeTerms struct {
	Instance   *Instance
	Old        License // the license whose terms it has
	NotBefore  license.Date
	Expiration license.Date // the last day: of license.BridgeDays, and of the old license
}

// BridgeFor judges whether a request gets a bridge key now, and returns what for. The error is a *NoBridge.
//
// The person has to be a contact who speaks for the instance, whose mailbox was confirmed; or, if sales ask for it, a
// colleague of the customer. Strangers never get one, not even with a contact's yes: sales issue the real key to them.
func (a *Account) BridgeFor(asked BridgeAsked, now time.Time) (t BridgeTerms, err error) {
	r, today := asked.Request, license.DateOf(now)
	no := func(code BridgeCode, sentence string, args ...any) (BridgeTerms, error) {
		return t, &NoBridge{code, fmt.Sprintf(sentence, args...)}
	}
	switch {
	case !r.State.Open():
		return no(BridgeClosed, "The request for the replacement is closed.")
	case r.Kind != request.Replacement:
		return no(BridgeOtherKind, "A bridge key is only for a server whose ID changed.")
	case !a.IsOf(r.Customer):
		return no(BridgeNoInstance, "The request is not linked to this customer.")
	}
	i := a.Instance(r.Instance)
	if r.Instance == "" {
		i = a.Instance(a.Match(AskedBy(r)).Instance)
	}
	if i == nil || !i.InUse() {
		return no(BridgeNoInstance, "Nothing on record says for certain which installation the request is about.")
	}
	if !a.mayBridge(asked, i.ID, now) {
		return no(BridgeNoStanding, "Only a contact on record can have a bridge key.")
	}
	if slices.ContainsFunc(r.Answers, func(a request.Answer) bool { return !a.Yes }) {
		return no(BridgeRefused, "A contact on record said that the request is not theirs.")
	}
	old, ok := i.Current(today)
	if !ok || !old.Valid(today) || old.NotBefore.After(today) {
		return no(BridgeNoLicense, "The installation has no license that is valid today.")
	}
	if err := i.bridges(old, r); err != nil {
		return t, err
	}
	other := func(o Instance) bool { return o.ID != i.ID && o.InUse() && o.Server() == r.Server }
	if asked.Elsewhere || slices.ContainsFunc(a.Instances, other) {
		return no(BridgeKnown, "The server ID is on record for another installation.")
	}
	if next := i.NextBridge(); now.Before(next) {
		return no(BridgeTooSoon, "The installation has had a bridge key in the last %d days. It can have another one "+
			"from %s.", BridgeEvery, license.DateOf(next).Long())
	}
	t = BridgeTerms{Instance: i, Old: old, NotBefore: today, Expiration: today.AddDays(license.BridgeDays - 1)}
	if t.Expiration.After(old.Expiration) {
		t.Expiration = old.Expiration
	}
	return t, nil
}

// mayBridge reports whether the person who asks may have a bridge key for an instance.
func (a *Account) mayBridge(asked BridgeAsked, instance string, now time.Time) bool {
	who := Asker{Request: asked.Request, Instance: instance, DomainShared: asked.DomainShared}
	email := asked.Request.Email
	switch a.Standing(who, now) {
	case Proven, KnownContact:
		return a.speaker(email, instance, now) ||
			asked.BySales && (a.IsContact(email) || a.OfDomain(email) && !asked.DomainShared)
	case Colleague:
		return asked.BySales
	}
	return false
}

// bridges returns why the server that a request names needs no bridge key, or gets none, in the place of the one of a
// license; nil if it does.
func (i Instance) bridges(old License, r request.Request) error {
	switch {
	case r.Server == old.Server || r.OldServer == request.OldSame:
		return &NoBridge{BridgeSameServer, "The license is for this server already. If the key is lost, we send it " +
			"again."}
	case string(old.Server) == r.Server.Dataset():
		return &NoBridge{BridgeUpgraded, "The key on record works on this server too: only the server ID got a prefix."}
	case r.Server.ReadsAsDate():
		return &NoBridge{BridgeDate, "Version 6.7 and later replace this server ID when they start, " +
			"so no key can work for it."}
	case r.OldServer != request.OldStopped && r.OldServer != request.OldLost:
		return &NoBridge{BridgeRunning, "While the old server is running, the new one is a copy and needs a license " +
			"of its own."}
	case r.Environment != i.Environment:
		return &NoBridge{BridgeUse, "The installation on record is for " + string(i.Environment) +
			", and the request is not."}
	}
	return nil
}
