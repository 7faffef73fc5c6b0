package request

import (
	"strings"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/license"
)

// Change is what gives a server another ID.
type Change string

const (
	DatabaseMoved     Change = "moved"
	DatabaseAddressed Change = "address"
	DatabaseNamed     Change = "name"
	DataRestored      Change = "restored"
	Reinstalled       Change = "reinstalled"
	DatabaseCopied    Change = "copied"
)

// Changes lists every change, the most frequent first.
var Changes = []Change{DatabaseMoved, DatabaseAddressed, DatabaseNamed, DataRestored, Reinstalled, DatabaseCopied}

// Name returns the change as shown to people.
func (c Change) Name() string {
	switch c {
	case DatabaseMoved:
		return "Move the database to another host"
	case DatabaseAddressed:
		return "Give the database server another IP address or DNS name"
	case DatabaseNamed:
		return "Rename the database or its schema"
	case DataRestored:
		return "Restore the data of another server"
	case Reinstalled:
		return "Reinstall the server on an empty database"
	case DatabaseCopied:
		return "Copy the data to a new database with a migration tool"
	}
	return string(c)
}

// Effect says what the change does to the server ID.
func (c Change) Effect() string {
	switch c {
	case DataRestored:
		return "The part of the ID behind the first dash becomes the other server's. " +
			"Restoring production on its own staging server is different: see below."
	case Reinstalled:
		return "The whole ID is new, since the server starts with new data."
	}
	return "The first eight characters of the ID change. The rest stays, since the data stays."
}

// Valid reports whether c is one of Changes.
func (c Change) Valid() bool { return c.Name() != string(c) }

// MaxPlan is how far ahead a change can be planned, in months.
const MaxPlan = 12

// ParsePlanned reads the day of a planned change, YYYY-MM-DD, today or later; "" is none. Its errors are Invalid faults
// with a sentence.
func ParsePlanned(s string, today license.Date) (license.Date, error) {
	day, err := parsePlanned(s)
	switch {
	case err != nil || day.IsZero():
		return license.Date{}, err
	case day.Before(today):
		return license.Date{}, fault.New(fault.Invalid, "This day has passed. Choose a day from %s on, or leave it "+
			"empty if the server already shows its new ID.", today.Long())
	case day.After(today.AddMonths(MaxPlan)):
		return license.Date{}, fault.New(fault.Invalid, "Choose a day within the next %d months.", MaxPlan)
	}
	return day, nil
}

// parsePlanned reads a day, of any time.
func parsePlanned(s string) (license.Date, error) {
	if s = strings.TrimSpace(s); s == "" {
		return license.Date{}, nil
	}
	day, err := license.ParseDate(s)
	if err != nil || day.Year < 2000 || day.Year > 9999 {
		return license.Date{}, fault.New(fault.Invalid, "Enter the day as year, month and day, for example 2027-05-03.")
	}
	return day, nil
}

// plan reads the change of a replacement and its day. A planned replacement is filed with the ID that the server has
// until then, for which it need not say twice what is replaced, nor that the server is still running.
func (f Form) plan(d *Details, bad *fault.Fields) {
	day, err := parsePlanned(f.Planned)
	change := Change(strings.TrimSpace(f.Change))
	if d.Kind != Replacement {
		return
	}
	bad.Refuse("planned", err)
	switch {
	case change != "" && !change.Valid():
		bad.Add("change", "Choose what changes the server ID.")
	case change == "" && !day.IsZero():
		bad.Add("change", "Choose what you plan to do on this day.")
	}
	d.Change, d.Planned = change, day
	if day.IsZero() {
		return
	}
	d.Before = d.Server
	if d.Replaces == "" {
		d.Replaces = string(d.Server)
	}
	if d.OldServer == "" {
		d.OldServer = OldRunning
	}
}

// AwaitsServer reports whether a replacement was filed before the server ID changes, and the new ID is not known yet.
func (d Details) AwaitsServer() bool {
	return !d.Planned.IsZero() && d.Server == d.Before
}

// Begins returns from when on we can work on what is asked for now: at once, or after the day on which the customer
// learns the new server ID.
func (d Details) Begins(now time.Time) time.Time {
	if end := d.Planned.End(); d.AwaitsServer() && now.Before(end) {
		return end
	}
	return now
}
