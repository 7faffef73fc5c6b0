package license

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// WarnDays is the number of days before the expiration from which a valid key gets a warning, unless Instance.Warns
// says otherwise.
const WarnDays = 30

// Instance is the server that a key is installed on, as far as known: zero fields are not checked.
type Instance struct {
	Server  Server
	Loc     int64 // lines of code
	Edition Edition
	Plugins []string // keys of the installed commercial plugins
	// Names are the names of plugins, by key, for people. A plugin without a name is called by its key.
	Names map[string]string
	Now   time.Time
	// Warns reports whether a key that has not expired at Now gets the warning that it expires soon. nil is within
	// WarnDays, as for a server: it does not know when its vendor reminds customers.
	Warns func(Key) bool
}

func (at Instance) warns(k Key) bool {
	if at.Warns != nil {
		return at.Warns(k)
	}
	return DateOf(at.Now).DaysUntil(k.Expiration) <= WarnDays
}

// Verdict is the result of evaluating a key.
type Verdict struct {
	Key      *Key     `json:"key,omitempty"` // nil if it cannot be read; do not trust it unless Authentic
	Reasons  []Reason `json:"reasons"`       // all reasons why it is invalid, in the order of Codes
	Warnings []Reason `json:"warnings"`      // remarks that do not make it invalid
}

// Valid reports whether there is no reason against the key.
func (v Verdict) Valid() bool { return len(v.Reasons) == 0 }

// Authentic reports whether we issued the key and nobody altered it; it may still be for another server or time.
func (v Verdict) Authentic() bool {
	return v.Key != nil && !slices.ContainsFunc(v.Reasons, func(r Reason) bool {
		return slices.Index(Codes(), r.Code) < slices.Index(Codes(), WrongServer)
	})
}

// Evaluate checks a key text for an instance. It ignores spaces, tabs and line ends around the text, which people
// paste along; use Unmangle first to undo other damage. A text that cannot be read has one reason; otherwise all
// checks are made.
func Evaluate(text string, at Instance, keys KeySet) Verdict {
	d, err := read(strings.Trim(text, whitespace))
	if reason, ok := err.(Reason); ok {
		return Verdict{Reasons: []Reason{reason}, Warnings: []Reason{}}
	}
	found := evaluation{reasons: d.checkSignature(keys)}
	found.checkServer(d.key, at.Server)
	public, _ := keys.Find(d.key.Kid)
	found.checkDates(d.key, at, public.Bridge())
	found.checkLoc(d.key, at.Loc)
	found.checkPlugins(d.key, at)

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

// evaluation collects reasons and warnings.
type evaluation struct{ reasons []Reason }

func (e *evaluation) add(code Code, args ...string) {
	e.reasons = append(e.reasons, newReason(code, args...))
}

// checkServer compares the whole server ID. An ID from before 6.7.5 and 7.3 does not depend on the database's address,
// so the prefix that such a server gets in an upgrade does not invalidate the key (client-contract.md §4).
func (e *evaluation) checkServer(k Key, id Server) {
	switch {
	case id == "" || id == k.Server:
	case id.Dataset() != k.Server.Dataset():
		e.add(WrongServer, string(k.Server), string(id))
	case string(k.Server) == k.Server.Dataset():
		e.add(ServerUpgraded, string(k.Server), string(id))
	default:
		e.add(NewAddress, string(k.Server), string(id))
	}
}

// checkDates says of a bridge key on every day that it is one: it has no other that could expire soon.
func (e *evaluation) checkDates(k Key, at Instance, bridge bool) {
	now := at.Now
	if now.IsZero() {
		if bridge {
			e.add(BridgeKey, k.Expiration.Long())
		}
		return
	}
	if !k.NotBefore.IsZero() && now.Before(k.NotBefore.Start()) {
		e.add(NotYetValid, k.NotBefore.Long())
	}
	code, expired := ExpiresSoon, !now.Before(k.Expiration.End())
	switch {
	case bridge && !expired:
		e.add(BridgeKey, k.Expiration.Long())
		return
	case bridge:
		r := newReason(Expired, k.Expiration.Long(), "a replacement")
		r.Sentence = "The bridge key has expired: its last day was " + k.Expiration.Long() + " (UTC)."
		r.Remedy = "Install the key that replaces it. If our email with it has not arrived, ask us for a replacement."
		r.Request = "replacement"
		e.reasons = append(e.reasons, r)
		return
	case expired:
		code = Expired
	case !at.warns(k):
		return
	}
	next := newReason(code, k.Expiration.Long(), "a renewal")
	if k.Type == Evaluation {
		next = newReason(code, k.Expiration.Long(), "a license")
		next.Request = "new"
	}
	e.reasons = append(e.reasons, next)
}

func (e *evaluation) checkLoc(k Key, loc int64) {
	if loc > k.MaxLoc {
		e.add(LocExceeded, Lines(loc), Lines(k.MaxLoc))
	} else if loc > k.MaxLoc/10*9+k.MaxLoc%10*9/10 {
		e.add(LocNearlyReached, Lines(loc), Lines(k.MaxLoc))
	}
}

func (e *evaluation) checkPlugins(k Key, at Instance) {
	var uncovered []string
	for _, plugin := range at.Plugins {
		if !slices.Contains(k.Plugins, plugin) && !slices.Contains(uncovered, plugin) {
			uncovered = append(uncovered, plugin)
		}
	}
	if len(uncovered) > 0 {
		names := make([]string, len(uncovered))
		for i, plugin := range uncovered {
			names[i] = cmp.Or(at.Names[plugin], plugin)
		}
		e.add(PluginNotCovered, strings.Join(names, ", "))
	}
	if at.Edition != "" && at.Edition != k.Edition {
		e.checkEdition(k.Edition, at.Edition)
	}
}

// checkEdition explains that the server has the package of another edition, or none, which is Community.
func (e *evaluation) checkEdition(licensed, installed Edition) {
	wrong := newReason(WrongEdition, licensed.Name(), installed.Name())
	switch {
	case installed == Community:
		wrong.Sentence = "The key is for the " + licensed.Name() + ", but the server runs without its package."
		wrong.Remedy = "Choose Upgrade at the " + licensed.Name() +
			" on the server's Marketplace page, or install the package manually, then install the key."
		if licensed == DataCenter { // a cluster's Marketplace has no buttons (client-contract.md §6)
			wrong.Remedy = "Install the " + licensed.Name() +
				" package manually on every application node, then set the key."
		}
		wrong.Request = ""
	case licensed == Community:
		wrong.Remedy = "Uninstall the " + installed.Name() + " package, or ask us for a license."
	}
	e.reasons = append(e.reasons, wrong)
}

// Lines formats a number of lines of code as the product does: 5'000'000.
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
