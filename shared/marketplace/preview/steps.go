package preview

import (
	"fmt"
	"net/url"
	"slices"

	"marketplace/shared/license"
	"marketplace/shared/marketplace"
)

// This file has the words of each step of a dialog, and of what follows it.

// licenseManager is where a key is set once the license plugin is there.
const licenseManager = "Administration > Configuration > License Manager"

// noButtons says why no box has a button, where that surprises.
func (p *player) noButtons() *Alert {
	switch {
	case p.server.Cluster:
		e, _ := p.entry(license.DataCenter)
		return &Alert{
			Title: "A cluster has no buttons",
			Text: []string{"The package is installed manually on every application node, and the key is " +
				"set once, under " + licenseManager + "."},
			Download: e.DownloadURL, Guide: p.guide(e),
		}
	case p.choice.ReadOnly:
		return &Alert{
			Tone: "warn", Title: "No edition can be installed here",
			Text: []string{"The server's own version is not in the catalog. Update " + p.o.Product +
				" to a version with editions."},
		}
	}
	return nil
}

func (p *player) entry(e license.Edition) (found marketplace.Entry, ok bool) {
	for _, entry := range p.choice.Entries {
		if entry.Key == string(e) {
			return entry, true
		}
	}
	return found, false
}

// guide returns the address of the installation steps of an edition's package: the site's own page for it, or the
// edition's page elsewhere.
func (p *player) guide(e marketplace.Entry) string {
	if own := p.source.Catalog.SiteURL + "/editions/" + e.Key; e.HomeURL != own {
		return e.HomeURL
	}
	q := url.Values{"version": {p.choice.Key}}
	if e.Key == string(license.DataCenter) {
		q.Set("cluster", map[bool]string{true: "yes", false: "no"}[p.server.Cluster])
	}
	return e.HomeURL + "/install?" + q.Encode()
}

// uninstall plays the dialog of the first box.
func (p *player) uninstall(v *View) marketplace.Server {
	rows, lost := p.rows(p.server.Plugins, p.query.Edition), p.lost(p.server.Plugins, license.Edition(p.box.Key))
	removedWith := p.server.Uninstall()
	switch p.query.Step {
	case removing:
		v.Alert = &Alert{
			Tone: "good", Title: fmt.Sprintf("The next restart removes %s", plugins(len(rows))), Rows: rows,
			Next: []Link{
				{Text: "Restart the server", URL: p.query.at(p.o.Path, removed)},
				{Text: "Restart, but the jars are still there", URL: p.query.at(p.o.Path, stuck),
					Hint: "for example put back by a deployment script"},
			},
		}
		return removedWith
	case stuck:
		v.Alert = &Alert{
			Tone: "bad", Title: "The server does not start",
			Text: []string{"The license plugin is still installed after the downgrade. The reason is in logs/web.log."},
			Steps: []string{
				"Delete the jars of the plugins below from extensions/plugins.",
				"Start the server.",
			},
			Rows: rows,
			Next: []Link{{Text: "Delete the jars and start the server", URL: p.query.at(p.o.Path, removed)}},
		}
		server, _ := removedWith.Restart(p.server.Plugins, true)
		return server
	case removed:
		server, _ := removedWith.Restart(nil, true)
		v.Alert = &Alert{
			Tone: "good", Title: "The server has the " + p.box.Name,
			Text: []string{"The server has deleted its license. Keep the email with the key: to return, choose " +
				"Upgrade and paste the key again. Its last day has not changed."},
			Next: []Link{p.afresh(license.Edition(p.box.Key))},
		}
		return server
	}
	v.Dialog = &Dialog{
		Title: "Downgrade to " + p.box.Name, Edition: p.box.Name, Uninstall: true, Remove: rows, Lost: lost,
		Continue: Link{Text: string(marketplace.Downgrade), URL: p.query.at(p.o.Path, removing)}, Cancel: v.Start,
	}
	return p.server
}

// install plays the dialog of any other box.
func (p *player) install(v *View, box marketplace.Box) marketplace.Server {
	check := p.server.Check(license.Edition(p.box.Key), p.key())
	if !follows(p.query.Step, check) {
		if p.query.Step = question; p.text != "" || p.query.License != matching {
			p.query.Step = pasted
		}
	}
	switch p.query.Step {
	case question, pasted:
		v.Dialog = p.dialog(box, check)
		return p.server
	}
	server := p.server.Apply(check)
	v.Stages = stages(p.query.Step, check.Outcome)
	p.follow(v, &server, check)
	return server
}

// follows reports whether a step comes after a key of which the dialog says c.
func follows(s step, c marketplace.Check) bool {
	switch s {
	case question, pasted:
		return true
	case saved:
		return c.Outcome == marketplace.NothingToInstall
	case failed:
		return c.Outcome == marketplace.Automatic && len(c.Install) > 0
	case downloading, ready, interrupted:
		return c.Outcome == marketplace.Automatic
	case manual, missing:
		return c.Outcome == marketplace.ByHand
	case installed, refused:
		return c.Outcome == marketplace.Automatic || c.Outcome == marketplace.ByHand
	}
	return false
}

// dialog returns the dialog of a box, before or after a license was pasted.
func (p *player) dialog(box marketplace.Box, check marketplace.Check) *Dialog {
	d := &Dialog{
		Title: string(box.Action) + " to " + box.Name, Edition: box.Name, Asks: p.query.Step == question,
		Request: box.RequestURL(p.query.Server, p.query.Loc), Cancel: p.start().address(p.o.Path),
		Paste: p.o.Paste, Path: p.o.Path, Key: keyField(),
	}
	form := p.query
	form.Step, form.License = "", ""
	d.Hidden = form.hidden()
	sampleOf := func(s sample, text string) Link {
		q := p.query
		q.License = s
		return Link{Text: text, URL: q.at(p.o.Path, pasted) + "#dialog"}
	}
	d.Samples = []Link{
		sampleOf(matching, "a license for the "+box.Name), sampleOf(other, "a license for another edition"),
		sampleOf(damaged, "half a key"),
	}
	if p.query.Step == pasted {
		d.Verdict = p.verdict(check)
	}
	return d
}

// verdict is what the dialog says about a key.
func (p *player) verdict(c marketplace.Check) *Verdict {
	v := &Verdict{Cluster: p.box.Key == string(license.DataCenter)}
	of := license.Edition(p.box.Key)
	switch c.Outcome {
	case marketplace.Unreadable:
		v.Tone, v.Title = "bad", "This is not a license key"
		v.Text = []string{"The server finds no edition in the text, so the dialog has no button."}
		v.Steps = []string{"Copy the whole key again from our email, or use the attached file."}
		v.Links = []Link{{Text: "Check the key", URL: "/licenses/check" + p.serverQuery()}}
		v.Cluster = false
		return v
	case marketplace.OtherEdition:
		name := license.Edition(c.License.Edition).Name()
		v.Tone, v.Title = "bad", "This license is for the "+name
		v.Text = []string{"The dialog of the " + p.box.Name + " accepts no license for another edition, so it has no " +
			"button."}
		if e, ok := p.entry(license.Edition(c.License.Edition)); ok && p.opens(e.Key) {
			q := p.query
			q.Box, q.License = license.Edition(e.Key), matching
			v.Links = append(v.Links,
				Link{Text: "Open the dialog of the " + e.Name, URL: q.at(p.o.Path, question) + "#dialog"})
		}
		if p.box.LicenseRequestURL != "" {
			v.Links = append(v.Links, Link{Text: "Request a license for the " + p.box.Name,
				URL: p.box.RequestURL(p.query.Server, p.query.Loc)})
		}
		v.Cluster = false
		return v
	case marketplace.NothingToInstall:
		v.Tone, v.Title = "good", "Nothing to install"
		v.Text = []string{"All plugins of this license are installed. Save replaces the key, without a restart."}
		v.Button, v.Cluster = Link{Text: c.Button(), URL: p.query.at(p.o.Path, saved)}, false
	case marketplace.Automatic:
		v.Tone, v.Title = "warn", "Install downloads "+plugins(len(c.Install))
		v.Text = []string{"The server downloads them one by one, not as our package. After that, it needs a restart."}
		if len(c.Install) == 0 {
			v.Title = "Install removes " + plugins(len(c.Remove))
			v.Text = []string{"There is nothing to download. The plugins go with the next restart."}
		}
		v.Terms, v.Button = true, Link{Text: c.Button(), URL: p.query.at(p.o.Path, downloading)}
	case marketplace.ByHand:
		v.Tone, v.Title = "bad", "The server has no internet access"
		v.Text = []string{"It installs and removes nothing by itself. Save keeps the key until you have done that " +
			"manually."}
		v.Terms, v.Button = true, Link{Text: c.Button(), URL: p.query.at(p.o.Path, manual)}
	}
	v.Install, v.Remove = p.rows(c.Install, of), p.rows(c.Remove, p.query.Edition)
	if len(c.Remove) > 0 {
		v.Lost = p.lost(c.Remove, of)
	}
	v.After = p.after
	return v
}

// follow shows what follows the dialog's button, and moves the server on.
func (p *player) follow(v *View, server *marketplace.Server, c marketplace.Check) {
	of := license.Edition(p.box.Key)
	link := func(text string, s step, hint string) Link {
		return Link{Text: text, URL: p.query.at(p.o.Path, s), Hint: hint}
	}
	restarts := []Link{
		link("Restart the server", installed, ""),
		link("Restart, but the license plugin rejects the key", refused,
			"for example because it is for another server"),
	}
	switch p.query.Step {
	case saved:
		v.Alert = &Alert{Tone: "good", Title: "The new license is set",
			Text: []string{"Nothing else has changed. " + licenseManager + " shows its terms."}}
	case downloading:
		v.Alert = &Alert{Title: "Installing the " + p.box.Name, Rows: p.rows(c.Install, of),
			Text: []string{"The server downloads " + plugins(len(c.Install)) +
				" and keeps running. Its page shows a spinner, and no working buttons until the restart."},
			Next: []Link{
				link("All downloads succeed", ready, ""), link("A download fails", failed, ""),
				link("The server is restarted now", interrupted, ""),
			}}
		if len(c.Install) == 0 {
			v.Alert.Text = []string{"There is nothing to download, so this takes a moment."}
			v.Alert.Next = []Link{
				link("The server is ready", ready, ""), link("The server is restarted now", interrupted, ""),
			}
		}
	case failed:
		*server = server.Downloaded(false)
		v.Alert = p.byHand("A plugin could not be downloaded", "Nothing was installed, and the key was dropped. The "+
			"message names the plugin and its address. Try again, or install the package manually:")
		v.Alert.Next = []Link{link("Try again", pasted, ""), link("Install the package and set the key", installed, "")}
	case ready:
		*server = server.Downloaded(true)
		v.Alert = &Alert{Tone: "good", Title: "The " + p.box.Name + " is ready",
			Text: []string{"It is installed when the server restarts. The button Restart is beside the message."},
			Next: restarts}
		if len(c.Remove) > 0 {
			v.Alert.Text = append(v.Alert.Text, "The restart also removes "+plugins(len(c.Remove))+".")
		}
	case interrupted:
		*server, _ = server.Restart(p.server.Plugins, true)
		v.Alert = &Alert{Tone: "bad", Title: "The server was restarted too early",
			Text: []string{"Nothing was installed, and the key was dropped. Choose " +
				"the button again, and wait for the download before you restart."},
			Next: []Link{link("Paste the key again", pasted, "")}}
	case manual:
		v.Alert = p.byHand("The package has to be installed manually",
			"The server keeps the key and sets it after the restart. Until then it accepts no other key:")
		v.Alert.Tone = "warn"
		if len(c.Remove) > 0 {
			v.Alert.Rows = p.rows(c.Remove, p.query.Edition)
			v.Alert.Steps = slices.Insert(v.Alert.Steps, 2,
				"Delete the jars of the plugins below as well. The license does not cover them.")
		}
		v.Alert.Next = append([]Link{}, restarts...)
		v.Alert.Next = append(v.Alert.Next, link("Restart without all jars", missing, ""))
	case missing:
		*server, _ = server.Restart(p.server.Plugins, true)
		v.Alert = p.byHand("The license plugin is missing",
			"The box says Installed, but nothing checks licenses, and the key was dropped. Install the package, then "+
				"set the key under "+licenseManager+":")
		v.Alert.Next = []Link{link("Install the package and set the key", installed, "")}
	case refused:
		*server, _ = complete(*server).Restart(c.License.Plugins, false)
		v.Alert = &Alert{Tone: "bad", Title: "The license plugin rejects the key",
			Text: []string{"The plugins are installed and the box says Installed, but there is no valid license: the " +
				"commercial features and languages do not work. Set a valid key under " + licenseManager + "."},
			Links: []Link{
				{Text: "See why the key is rejected", URL: "/licenses/check" + p.serverQuery()},
				{Text: "Request a license", URL: p.box.RequestURL(p.query.Server, p.query.Loc)},
			},
			Next: []Link{link("Set a valid key", installed, "")}}
	case installed:
		*server, _ = complete(*server).Restart(c.License.Plugins, true)
		v.Alert = &Alert{Tone: "good", Title: "The " + p.box.Name + " is installed",
			Text: []string{licenseManager + " shows the license, and takes the next key when you renew it."},
			Next: []Link{p.afresh(of)}}
		if of == license.DataCenter {
			v.Alert.Text = append(v.Alert.Text, "The cluster still has to be configured. As a cluster, the server "+
				"shows no buttons any more.")
		}
	}
}

// complete ends a download, if there is one.
func complete(s marketplace.Server) marketplace.Server {
	if s.State == marketplace.Downloading {
		return s.Downloaded(true)
	}
	return s
}

// byHand is an alert that leads to a manual installation.
func (p *player) byHand(title, text string) *Alert {
	paragraphs := []string{text}
	if pkg, ok := p.source.Catalog.Package(p.box.Key, p.choice.Key); ok && pkg.Withdrawn != "" {
		paragraphs = []string{"This package was withdrawn, although the catalog links to it. " + pkg.Withdrawn, text}
	}
	return &Alert{Tone: "bad", Title: title, Text: paragraphs, Download: p.box.DownloadURL, Guide: p.guide(p.box),
		Steps: []string{
			"Stop the server.",
			"Delete the old jars of the same plugins from extensions/plugins.",
			"Unzip the package and put its jars directly into extensions/plugins.",
			"Start the server.",
		}}
}

// afresh leads to the page of a server with another edition installed.
func (p *player) afresh(e license.Edition) Link {
	q := p.start()
	q.Edition = e
	return Link{Text: "See the page of a server with the " + e.Name(), URL: q.address(p.o.Path)}
}

// stages returns the progress of an installation.
func stages(s step, o marketplace.Outcome) []Stage {
	middle := "Download"
	if o == marketplace.ByHand {
		middle = "Manual installation"
	}
	now, ok := map[step]int{
		downloading: 1, failed: 1, interrupted: 1, manual: 1, missing: 1, ready: 2, refused: 3, installed: 4,
	}[s]
	if !ok {
		return nil
	}
	var list []Stage
	for i, name := range []string{"License checked", middle, "Restart", "In use"} {
		list = append(list, Stage{name, i < now, i == now})
	}
	return list
}

func plugins(n int) string {
	if n == 1 {
		return "1 plugin"
	}
	return fmt.Sprintf("%d plugins", n)
}

// facts describes the server in a few words.
func (p *player) facts() (list []string) {
	list = append(list, p.query.Edition.Name()+" installed")
	if p.query.Server != "" {
		list = append(list, "server ID "+p.query.Server)
	}
	if p.query.Loc != "" {
		list = append(list, lines(p.query.Loc)+" lines of code")
	}
	if p.query.Cluster {
		list = append(list, "cluster")
	}
	if p.query.Offline {
		list = append(list, "no internet access")
	}
	return list
}
