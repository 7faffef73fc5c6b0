package marketplace

import (
	"slices"

	"marketplace/shared/license"
	"marketplace/shared/license/client"
)

// Server is the server whose page is played.
type Server struct {
	Edition license.Edition // installed; "" if none was, which is the community edition
	// Plugins are the keys of the commercial plugins that are installed.
	Plugins []string
	Cluster bool // it is a Data Center cluster
	Offline bool // it cannot reach the update center, from which it downloads plugins
	State   State
	Next    license.Edition // the edition that State leads to; "" as of Edition
}

// State is how far a change of the edition is.
type State int

// States of a server. A restart ends each of them (Restart).
const (
	Idle         State = iota
	Downloading        // the plugins of Next
	Ready              // Next is downloaded: it needs a restart
	Manual             // Next has to be installed manually
	Uninstalling       // the plugins go with the next restart
)

// Action is the button of a box; "" is no button.
type Action string

// Actions, by what the buttons say.
const (
	Upgrade   Action = "Upgrade"
	Downgrade Action = "Downgrade"
)

// Badge marks a box; "" is no badge.
type Badge string

// Badges, by what they say.
const (
	Installed  Badge = "Installed"
	Installing Badge = "Installing"
	Pending    Badge = "Pending"
)

// Box is the box of an edition.
type Box struct {
	Entry
	Badge    Badge
	Action   Action
	Disabled bool // the button
	// Uninstalls says that the button asks for no license: it is the first box's.
	Uninstalls bool
}

// changing reports whether the buttons wait for a restart. A manual installation does not count, although the server
// refuses another key meanwhile.
func (s Server) changing() bool {
	return s.State == Downloading || s.State == Ready || s.State == Uninstalling
}

// Boxes returns the boxes of the page, from the smallest edition to the largest.
func (s Server) Boxes(c Choice) []Box {
	current := s.current(c)
	boxes := make([]Box, len(c.Entries))
	for i, e := range c.Entries {
		b := Box{Entry: e, Badge: s.badge(e.Key), Disabled: s.changing(), Uninstalls: i == 0}
		switch {
		case s.Cluster:
		case i == 0 && current > 0:
			b.Action = Downgrade
		case i == 0 || c.ReadOnly || i == current:
		case i < current:
			b.Action = Downgrade
		default:
			b.Action = Upgrade
		}
		boxes[i] = b
	}
	return boxes
}

// current is the place of the box that counts as the server's own: the installed edition's, or the one that the server
// changes to. It is -1 for a server without a commercial edition, even if it has the community edition's box.
func (s Server) current(c Choice) int {
	key := s.Edition
	if s.changing() {
		key = s.Next
	}
	return slices.IndexFunc(c.Entries, func(e Entry) bool { return e.Key == string(key) })
}

func (s Server) badge(box string) Badge {
	is := func(e license.Edition) bool {
		return string(e) == box || e == "" && box == string(license.Community)
	}
	switch {
	case !s.changing() && is(s.Edition):
		return Installed
	case !s.changing() || !is(s.Next):
		return ""
	case s.State == Downloading:
		return Installing
	}
	return Pending
}

// Outcome is what the dialog says about a key that was pasted.
type Outcome int

// Outcomes of the dialog.
const (
	// Unreadable: the server finds no edition and no plugin in the text. There is no button.
	Unreadable Outcome = iota
	// OtherEdition: the key is not for the box's edition. There is no button.
	OtherEdition
	// NothingToInstall: all plugins of the key are installed, and no others. The button saves the key.
	NothingToInstall
	// Automatic: the button downloads the plugins, once the terms are accepted.
	Automatic
	// ByHand: the plugins have to be installed manually. The button saves the key for the restart after that, once
	// the terms are accepted.
	ByHand
)

// Check is the dialog's answer to a key.
type Check struct {
	Outcome Outcome
	License client.License // nothing if it is Unreadable
	Install []string       // plugins that the server downloads, in the order of the key
	Remove  []string       // installed commercial plugins that the key does not list
}

// Button is what the dialog's button says; "" if there is none.
func (c Check) Button() string {
	switch c.Outcome {
	case NothingToInstall, ByHand:
		return "Save"
	case Automatic:
		return "Install"
	}
	return ""
}

// Check reads a key that is pasted into the dialog of a box. The server only looks for an edition and plugins in it:
// signature, server ID, dates and lines of code are checked after the restart.
func (s Server) Check(box license.Edition, key string) Check {
	l, ok := client.Parse(key)
	if !ok {
		return Check{Outcome: Unreadable}
	}
	c := Check{License: l, Install: without(l.Plugins, s.Plugins), Remove: without(s.Plugins, l.Plugins)}
	switch {
	case l.Edition != string(box):
		c.Outcome = OtherEdition
	case len(c.Install) == 0 && len(c.Remove) == 0:
		c.Outcome = NothingToInstall
	case s.Offline:
		c.Outcome = ByHand
	default:
		c.Outcome = Automatic
	}
	return c
}

func without(list, others []string) (rest []string) {
	for _, item := range list {
		if !slices.Contains(others, item) {
			rest = append(rest, item)
		}
	}
	return rest
}

// Apply presses the dialog's button. A check without a button changes nothing.
func (s Server) Apply(c Check) Server {
	edition := license.Edition(c.License.Edition)
	switch c.Outcome {
	case NothingToInstall:
		s.Edition = edition
	case Automatic:
		s.State, s.Next = Downloading, edition
	case ByHand:
		s.State, s.Next = Manual, edition
	}
	return s
}

// Downloaded ends the download: the server is ready for its restart, or nothing has changed.
func (s Server) Downloaded(ok bool) Server {
	if s.State = Ready; !ok {
		s.State, s.Next = Idle, ""
	}
	return s
}

// Uninstall presses the button of the first box, and confirms it.
func (s Server) Uninstall() Server {
	s.Edition, s.State, s.Next = "", Uninstalling, ""
	return s
}

// Problem is what a restart finds; "" is none.
type Problem string

// Problems of a restart.
const (
	// Interrupted: the download was not complete. Nothing was installed.
	Interrupted Problem = "interrupted"
	// PluginsMissing: the plugin license is not there, so nothing takes the key. The edition counts as installed.
	PluginsMissing Problem = "plugins missing"
	// Refused: the plugin license does not accept the key. The edition counts as installed.
	Refused Problem = "refused"
	// StillThere: the plugin license is there after an uninstallation. The server does not start.
	StillThere Problem = "still there"
)

// Restart restarts the server with the plugins that are there then. accepted says whether the plugin license accepts
// the key.
func (s Server) Restart(plugins []string, accepted bool) (Server, Problem) {
	before := s
	s.Plugins, s.State, s.Next = plugins, Idle, ""
	hasLicense := slices.Contains(plugins, licensePlugin)
	switch before.State {
	case Downloading:
		return s, Interrupted
	case Uninstalling:
		if hasLicense {
			return before, StillThere
		}
		s.Edition = ""
	case Ready, Manual:
		s.Edition = before.Next
		if !hasLicense {
			return s, PluginsMissing
		}
		if !accepted {
			return s, Refused
		}
	}
	return s, ""
}

// licensePlugin is the closed plugin that checks licenses (client-contract.md §5).
const licensePlugin = "license"
