package preview

import (
	"marketplace/shared/license"
	"marketplace/shared/marketplace"
	"marketplace/shared/web"
)

// View is what marketplace.html shows.
type View struct {
	Product string
	Path    string
	Version string   // as the server's footer shows it
	Facts   []string // what else is said of the server
	Form    Form
	Chosen  string // which entry of the catalog the server takes
	Links   bool   // the page only links to the larger editions
	Boxes   []Box
	Empty   string  // why there are no boxes; "" if there are
	Alert   *Alert  // of the server, above the boxes; nil for none
	Dialog  *Dialog // nil if none is open
	Stages  []Stage // of an installation that has begun
	// Start is the address of the same server without a dialog.
	Start string
	// Query keeps the server in links to other pages.
	Query string
	Draft *Draft // what the console says of the catalog; nil on the public site
}

// Form describes the server.
type Form struct {
	Fields []web.Field
	Hidden []parameter
}

// Box is a box of the page.
type Box struct {
	marketplace.Box
	URL  string // of the step that the button leads to
	Link string // in the era of links, the address that the box links to
}

// Link leads to a step of the preview, or to another page.
type Link struct {
	Text, URL string
	Hint      string
}

// Alert is a message of the product, with what can happen next.
type Alert struct {
	Tone  string // the class of its color: good, warn, bad or none
	Title string
	Text  []string
	Rows  []Row // plugins that it is about
	// Download is the package, and Guide the page how to install it; "" where the alert is not about them.
	Download, Guide string
	Steps           []string // what to do
	Links           []Link
	Next            []Link // what can happen next
}

// Row is a plugin in a list.
type Row struct{ Key, Name, Release string }

// Stage is a step of an installation.
type Stage struct {
	Name      string
	Done, Now bool
}

// Dialog is what a box's button opens.
type Dialog struct {
	Title     string
	Edition   string // the name of the box's edition
	Uninstall bool   // it asks for no license
	Asks      bool   // "Do you already have a license?"
	Request   string // the link to a license, as the product makes it
	Samples   []Link // licenses to paste
	Paste     bool
	Path      string      // of the form that pastes a key
	Hidden    []parameter // of that form
	Key       web.Field
	Verdict   *Verdict // about a license that was pasted
	Remove    []Row    // plugins that go
	Lost      []string // what goes with them
	Continue  Link
	Cancel    string
}

// Verdict is what the dialog says about a license.
type Verdict struct {
	Alert
	Install, Remove []Row
	Lost            []string
	Terms           bool // the button waits for the terms to be accepted
	Cluster         bool // the edition needs a cluster to be set up
	Button          Link // without text, there is no button
	// After is what the license plugin says of a key after the restart; nil for a sample, which it accepts.
	After *After
}

// After is what a restart makes of a key.
type After struct {
	Accepted bool
	Reasons  []license.Reason
	Warnings []license.Reason
	Key      *license.Key // its terms, if we issued it
	Loc      string       // lines of code of the server, "" if they are not known
}

// Limit is how many lines of code the key allows.
func (a After) Limit() string { return web.Number(a.Key.MaxLoc) }
