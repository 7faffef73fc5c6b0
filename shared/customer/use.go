package customer

import (
	"slices"

	"marketplace/shared/license"
	"marketplace/shared/request"
)

// Use is how many instances a contract is used by.
type Use struct{ Production, Staging int }

func (u *Use) add(e request.Environment) {
	if e == request.StagingUse {
		u.Staging++
	} else {
		u.Production++
	}
}

// Use counts the instances in use that have a license under the contract which has not expired and was not revoked. A
// license that begins later under a renewal counts for the renewal only.
func (a *Account) Use(contract string, today license.Date) (u Use) {
	for _, i := range a.Instances {
		if i.uses(contract, today) {
			u.add(i.Environment)
		}
	}
	return u
}

// uses reports whether the instance counts as one of the contract's.
func (i Instance) uses(contract string, today license.Date) bool {
	return i.InUse() && slices.ContainsFunc(i.Licenses, func(l License) bool {
		return l.Contract == contract && l.Type != license.Evaluation && l.Valid(today)
	})
}

// StagingOf returns the staging instances in use that mirror a production instance.
func (a *Account) StagingOf(production string) []Instance {
	return a.instances(func(i Instance) bool {
		return i.InUse() && i.Environment == request.StagingUse && production != "" && i.Production == production
	})
}

// covers reports whether an instance is one of a contract's: in use, with a license under it or under the contract that
// it renews, which is valid or reached the end of the renewed contract.
func (a *Account) covers(c Contract, i Instance, today license.Date) bool {
	if i.uses(c.ID, today) {
		return true
	}
	renewed := a.Contract(c.Renews)
	if c.Renews == "" || renewed == nil || !i.InUse() {
		return false
	}
	end := renewed.end()
	return slices.ContainsFunc(i.Licenses, func(l License) bool {
		return l.Contract == renewed.ID && l.Type != license.Evaluation && l.Revoked.IsZero() &&
			(l.Valid(today) || !l.Expiration.Before(end))
	})
}

// end returns the last day of the contract, or the day on which it was ended early.
func (c Contract) end() license.Date {
	if ended := license.DateOf(c.Ended); !c.Ended.IsZero() && ended.Before(c.Last) {
		return ended
	}
	return c.Last
}

// Outstanding returns the instances that should have a key under the contract's present terms and have none yet: those
// of the contract, or of the one that it renews, without a key of exactly its terms for today or, if the contract
// begins later, for its beginning. Keys that were issued ahead on other terms count as missing too. There are none of a
// contract that has ended; its staging instances are left out if its terms do not allow staging.
//
// An instance leaves the list when its key is issued, so that an action over many instances can be continued.
func (a *Account) Outstanding(contract string, today license.Date) []Instance {
	c := a.Contract(contract)
	if c == nil || !c.Active(today) {
		return nil
	}
	return a.instances(func(i Instance) bool {
		allowed := i.Environment != request.StagingUse || c.StagingAllowed()
		return allowed && a.covers(*c, i, today) && !c.served(i, today)
	})
}

// served reports whether the instance has a key of the contract's terms from the day on which it needs one, and no
// later key of other terms that such a key does not replace.
func (c Contract) served(i Instance, today license.Date) bool {
	day := today
	if day.Before(c.First) {
		day = c.First
	}
	var right, wrong []License
	for _, l := range i.Licenses {
		switch {
		case l.Contract != c.ID || l.Type == license.Evaluation || !l.Valid(today):
		case c.gives(l):
			right = append(right, l)
		case l.NotBefore.After(day):
			wrong = append(wrong, l)
		}
	}
	from := i.needsKeyFrom(c.ID, day)
	return slices.ContainsFunc(right, func(l License) bool {
		return !l.NotBefore.After(from) && !l.Expiration.Before(day)
	}) && !slices.ContainsFunc(wrong, func(w License) bool {
		return !slices.ContainsFunc(right, func(l License) bool {
			return !l.NotBefore.After(w.NotBefore) && !l.Expiration.Before(w.Expiration)
		})
	})
}

// gives reports whether a license has exactly the contract's terms.
func (t Terms) gives(l License) bool {
	return l.Edition == t.Edition && l.MaxLoc == t.MaxLoc && l.Support == t.Support &&
		len(beyond(l.Languages, t.Languages)) == 0 && len(beyond(t.Languages, l.Languages)) == 0
}

// needsKeyFrom returns the first day, from a given one on, on which no license of other contracts is valid.
func (i Instance) needsKeyFrom(contract string, day license.Date) license.Date {
	for range i.Licenses { // each of them postpones it once at most
		for _, l := range i.Licenses {
			if l.Contract != contract && l.Revoked.IsZero() && !l.NotBefore.After(day) && !l.Expiration.Before(day) {
				day = l.Expiration.AddDays(1)
			}
		}
	}
	return day
}

// NextKeys returns the instances of an active contract whose last key ends before the contract does, as yearly keys of
// a contract of several years do, and which no other license continues. The one whose key ends first comes first. When
// the next key is issued is for the reminders to say.
func (a *Account) NextKeys(contract string, today license.Date) []Instance {
	c := a.Contract(contract)
	if c == nil || !c.Active(today) {
		return nil
	}
	ends := map[string]license.Date{}
	list := a.instances(func(i Instance) bool {
		last, ok := i.last(contract)
		ends[i.ID] = last.Expiration
		return ok && i.InUse() && last.Expiration.Before(c.Last) && !i.continued(last) &&
			(i.Environment != request.StagingUse || c.StagingAllowed())
	})
	slices.SortStableFunc(list, func(a, b Instance) int { return ends[a.ID].Start().Compare(ends[b.ID].Start()) })
	return list
}

// last returns the license under a contract that ends last and was not revoked.
func (i Instance) last(contract string) (last License, ok bool) {
	for _, l := range i.Licenses {
		if l.Contract == contract && l.Type != license.Evaluation && l.Revoked.IsZero() &&
			(!ok || laterTerm(l, last)) {
			last, ok = l, true
		}
	}
	return last, ok
}

// continued reports whether another license of the instance continues one without a gap (license.License.Succeeds).
func (i Instance) continued(l License) bool {
	return slices.ContainsFunc(i.Licenses, func(next License) bool {
		return next.Type == l.Type && next.Revoked.IsZero() && next.Expiration.After(l.Expiration) &&
			!next.NotBefore.After(l.Expiration.AddDays(1))
	})
}

// AllEvaluations returns the evaluation licenses that the customer has had on any of its servers, revoked and expired
// ones included.
func (a *Account) AllEvaluations() (list []License) {
	for _, i := range a.Instances {
		for _, l := range i.Licenses {
			if l.Type == license.Evaluation {
				list = append(list, l)
			}
		}
	}
	return list
}

// OpenEvaluations returns the evaluation licenses of instances in use that have not expired and were not revoked.
func (a *Account) OpenEvaluations(today license.Date) (list []License) {
	for _, i := range a.Instances {
		for _, l := range i.Licenses {
			if i.InUse() && l.Type == license.Evaluation && l.Valid(today) {
				list = append(list, l)
			}
		}
	}
	return list
}
