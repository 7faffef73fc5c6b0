package license

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// WarnDays is how many days before the expiration a valid key begins to warn.
const WarnDays = 30

// Instance is the server that a key is set on, as far as it is known: what is left zero is not checked.
type Instance struct {
	Server  Server
	Loc     int64 // lines of code
	Edition Edition
	Plugins []string // keys of the installed plugins that need a license: those of the editions, none of the free ones
	Now     time.Time
}

// Verdict is the judgement on a key.
type Verdict struct {
	Key      *Key     `json:"key,omitempty"` // nil where it could not be read; not to be believed where it is not Authentic
	Reasons  []Reason `json:"reasons"`       // why it is not valid: all that apply, in the order of Codes
	Warnings []Reason `json:"warnings"`      // what to know of it though it is valid
}

// Valid reports whether nothing speaks against the key.
func (v Verdict) Valid() bool { return len(v.Reasons) == 0 }

// Authentic reports whether the key is ours, unaltered; it may still be for another server or another time.
func (v Verdict) Authentic() bool {
	return v.Key != nil && !slices.ContainsFunc(v.Reasons, func(r Reason) bool {
		return slices.Index(Codes(), r.Code) < slices.Index(Codes(), WrongServer)
	})
}

// Evaluate judges a key text for an instance. Spaces, tabs and line ends around the text are dropped, as a person pastes them;
// whatever else mails do to a key is for Unmangle to undo first. A text that cannot be read has one reason; otherwise each check
// is made, whatever the others gave.
func Evaluate(text string, at Instance, keys KeySet) Verdict {
	d, err := read(strings.Trim(text, white))
	if reason, ok := err.(Reason); ok {
		return Verdict{Reasons: []Reason{reason}, Warnings: []Reason{}}
	}
	found := judge{reasons: d.distrust(keys)}
	found.server(d.key, at.Server)
	found.calendar(d.key, at.Now)
	found.size(d.key, at.Loc)
	found.parts(d.key, at)

	v := Verdict{Key: &d.key, Reasons: []Reason{}, Warnings: []Reason{}}
	for _, r := range found.reasons {
		if r.Code.Warning() {
			v.Warnings = append(v.Warnings, r)
		} else {
			v.Reasons = append(v.Reasons, r)
		}
	}
	return v
}

// judge gathers reasons and warnings.
type judge struct{ reasons []Reason }

func (j *judge) add(code Code, args ...string) {
	j.reasons = append(j.reasons, newReason(code, args...))
}

// server: a key is bound to all that its server ID says. An ID from before 6.7.5 and 7.3 says nothing of the
// database's address, so the prefix that such a server gets in an upgrade does not break the key (client-contract.md
// §4).
func (j *judge) server(k Key, id Server) {
	switch {
	case id == "" || id == k.Server:
	case id.Dataset() != k.Server.Dataset():
		j.add(WrongServer, string(k.Server), string(id))
	case string(k.Server) == k.Server.Dataset():
		j.add(ServerUpgraded, string(k.Server), string(id))
	default:
		j.add(NewAddress, string(k.Server), string(id))
	}
}

func (j *judge) calendar(k Key, now time.Time) {
	if now.IsZero() {
		return
	}
	if !k.NotBefore.IsZero() && now.Before(k.NotBefore.Start()) {
		j.add(NotYetValid, k.NotBefore.Long())
	}
	code := ExpiresSoon
	if !now.Before(k.Expiration.End()) {
		code = Expired
	} else if DateOf(now).DaysUntil(k.Expiration) > WarnDays {
		return
	}
	next := newReason(code, k.Expiration.Long(), "a renewal")
	if k.Type == Evaluation {
		next = newReason(code, k.Expiration.Long(), "a license")
		next.Request = "new"
	}
	j.reasons = append(j.reasons, next)
}

func (j *judge) size(k Key, loc int64) {
	if loc > k.MaxLoc {
		j.add(LocExceeded, Lines(loc), Lines(k.MaxLoc))
	} else if loc > k.MaxLoc/10*9+k.MaxLoc%10*9/10 {
		j.add(LocNearlyReached, Lines(loc), Lines(k.MaxLoc))
	}
}

func (j *judge) parts(k Key, at Instance) {
	var beyond []string
	for _, plugin := range at.Plugins {
		if !slices.Contains(k.Plugins, plugin) && !slices.Contains(beyond, plugin) {
			beyond = append(beyond, plugin)
		}
	}
	if len(beyond) > 0 {
		j.add(PluginNotCovered, strings.Join(beyond, ", "))
	}
	if at.Edition != "" && at.Edition != k.Edition {
		j.edition(k.Edition, at.Edition)
	}
}

// edition: the server has the package of another edition than the license's, or none, which is Community.
func (j *judge) edition(licensed, installed Edition) {
	wrong := newReason(WrongEdition, licensed.Name(), installed.Name())
	switch {
	case installed == Community:
		wrong.Sentence = "The key is for the " + licensed.Name() + ", but the server runs without its package."
		wrong.Remedy = "Install the " + licensed.Name() + " package from the server's Marketplace page or manually, then install the key."
		wrong.Request = ""
	case licensed == Community:
		wrong.Remedy = "Uninstall the " + installed.Name() + " package, or ask us for a license."
	}
	j.reasons = append(j.reasons, wrong)
}

// Lines writes a number of lines of code as the product does: 5'000'000.
func Lines(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "'" + digits[i:]
	}
	return sign + digits
}
