package site

import (
	"slices"

	"marketplace/shared/license"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
)

// ends says when a license expires, as the end of a sentence: "expires in 30 days", from the day on which its reminders
// begin, or "expired 7 days ago". It is "" before that, and where the end does not matter any more: see
// reminder.Policy.Warns.
func (s *site) ends(l license.License) string {
	today := license.DateOf(s.now())
	why := reminder.Silenced(l, today)
	switch {
	case s.store.Policy().Warns(l, today):
		return "expires " + reminder.When(l.Expiration, today)
	case today.After(l.Expiration) && (why == "" || why == reminder.Muted):
		return "expired " + reminder.When(l.Expiration, today)
	}
	return ""
}

// nextForm returns the request form for the license after one, filled in, and the text of a link to it: customers buy
// after an evaluation, and renew anything else.
func nextForm(l license.License) (path, action string) {
	f := request.Form{
		Edition: string(l.Edition), Server: string(l.Server), Kind: string(request.Renewal), Replaces: l.ID,
	}
	if l.Type == license.Evaluation {
		f.Kind, f.Replaces = string(request.New), ""
	}
	return formPath(f), requestAction(request.Kind(f.Kind))
}

// warns reports whether a key expires soon, as far as the key itself tells.
func (s *site) warns(k license.Key) bool {
	of := license.License{Type: k.Type, NotBefore: k.NotBefore, Expiration: k.Expiration}
	return s.store.Policy().Warns(of, license.DateOf(s.now()))
}

// warnings returns what to note about a key: that it expires soon is said with the days that are left, and not if the
// license on record needs no renewal. The zero recorded is none.
func (s *site) warnings(v license.Verdict, recorded license.License) []license.Reason {
	list := slices.Clone(v.Warnings)
	today := license.DateOf(s.now())
	for i, w := range list {
		switch {
		case w.Code != license.ExpiresSoon:
		case recorded.ID != "" && !s.store.Policy().Warns(recorded, today):
			return slices.Delete(list, i, i+1)
		default:
			list[i].Sentence = "The key expires " + reminder.When(v.Key.Expiration, today) + ": it is valid through " +
				v.Key.Expiration.Long() + " (UTC)."
		}
	}
	return list
}
