package letter

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"marketplace/catalog"
	"marketplace/shared/license"
	"marketplace/shared/mail"
)

// Delivery is what a letter with license keys contains.
type Delivery struct {
	To license.Contact
	// Licenses has at least one, each with its KeyText: a license alone, or production with its staging licenses.
	Licenses []license.License
	Again    bool // the customer has received the keys before
	References
	// ProductVersion is that of the customer's server, such as "6.7.1"; "" if unknown.
	ProductVersion string
	// Catalog has the names of languages and the addresses of packages. Without it the letter shows language keys and
	// links only the edition's page.
	Catalog *catalog.Catalog
}

// LicenseKey sends a customer license keys: in the text, each as one line however long it is, and as attached files;
// with what each allows, how to install it, where the packages are, and the expiration as a calendar file. The key
// itself is not altered in any way (client-contract.md §5).
func (w Writer) LicenseKey(id string, d Delivery) mail.Message {
	first := d.Licenses[0]
	edition := first.Edition.Name()
	var c content
	if len(d.Licenses) == 1 {
		c.Title = "Your license key"
		c.Intro = []string{
			fmt.Sprintf("Your license key for %s %s is below and in the attached file %s.",
				w.product(), edition, keyFile(first)),
		}
		c.Footer = []string{
			"The key works only on the server with the ID above. " +
				"You received this email because you are a contact for the license.",
		}
	} else {
		c.Title = "Your license keys"
		c.Intro = []string{
			fmt.Sprintf("Your %d license keys for %s are below and in the attached files. "+
				"Each key is for one server: make sure to install the right one.", len(d.Licenses), w.product()),
		}
		c.Footer = []string{
			"Each key works only on the server with its ID. " +
				"You received this email because you are a contact for the licenses.",
		}
	}
	if first.Bridges != "" {
		c.Title, c.Intro = "Your bridge key", bridgeIntro(w.product(), first)
		c.Footer = []string{"The key works only on the server with the ID above. " +
			"You received this email because a bridge key was requested with your address."}
	}
	if d.Again {
		c.Title += " (resent)"
		c.Intro = append(c.Intro, resentText(len(d.Licenses)))
	}
	c.Preview = fmt.Sprintf("%s for %s: valid through %s.", edition, first.Organization, lastSecond(first))
	c.Keys = keyParts(d)
	c.Notes = w.keyNotes(d)
	m := mail.Message{
		ID: id, Kind: mail.LicenseKey, About: first.ID, ReplyTo: w.Sales,
		Subject: w.keySubject(d), Attachments: w.keyAttachments(d.Licenses),
	}
	return w.compose(m.AddressedTo(d.To), c)
}

func (w Writer) keySubject(d Delivery) string {
	first, resent := d.Licenses[0], ""
	if d.Again {
		resent = "Resent: "
	}
	if len(d.Licenses) > 1 {
		return subject("%sYour %s license keys: %s", resent, w.product(), typeNames(d.Licenses))
	}
	if first.Bridges != "" {
		return subject("%sYour %s %s bridge key, valid through %s",
			resent, w.product(), first.Edition.Name(), first.Expiration.Long())
	}
	return subject("%sYour %s %s license key, valid through %s",
		resent, w.product(), first.Edition.Name(), first.Expiration.Long())
}

// bridgeIntro says what a bridge key is.
func bridgeIntro(product string, l license.License) []string {
	return []string{
		fmt.Sprintf("With this bridge key, %s %s runs on your new server ID through %s. "+
			"The key is below and in the attached file %s.",
			product, l.Edition.Name(), l.Expiration.Long(), keyFile(l)),
		"We are preparing the key that replaces it, and will email it to you. Install that key when it arrives.",
	}
}

func resentText(keys int) string {
	if keys == 1 {
		return "This is the same key as before. If it is already installed, you can ignore this email."
	}
	return "These are the same keys as before. If they are already installed, you can ignore this email."
}

// keyParts returns the part of each license, with a title if there are several.
func keyParts(d Delivery) (parts []keyPart) {
	for _, l := range d.Licenses {
		part := keyPart{
			Facts: licenseFacts(l, d),
			Lead: "The key is one line without spaces. " +
				"If it is wrapped or cut, use the attached file " + keyFile(l) + ".",
			Key: l.KeyText,
		}
		if len(d.Licenses) > 1 {
			part.Title = l.Type.Name() + " license, server " + string(l.Server)
		}
		parts = append(parts, part)
	}
	return parts
}

// keyAttachments returns all key files, and then all calendar files.
func (w Writer) keyAttachments(licenses []license.License) (attachments []mail.Attachment) {
	for _, l := range licenses {
		attachments = append(attachments, mail.Attachment{
			Name: keyFile(l), ContentType: "text/plain; charset=us-ascii", Data: []byte(l.KeyText + "\n"),
		})
	}
	for _, l := range licenses {
		if l.Bridges != "" { // the calendar would have it renewed
			continue
		}
		attachments = append(attachments, mail.Attachment{
			Name: fileName(l, ".ics"), ContentType: calendarType, Data: w.calendar(l),
		})
	}
	return attachments
}

func (w Writer) keyNotes(d Delivery) []note {
	notes := []note{{Title: "How to install the key", Steps: w.installSteps(d)}}
	if links := w.packageLinks(d); len(links) > 0 {
		notes = append(notes, note{Title: "Packages", Links: links})
	}
	if slices.ContainsFunc(d.Licenses, func(l license.License) bool { return l.Type == license.Staging }) {
		notes = append(notes, note{
			Title: "Staging that is synchronized with production",
			Text: "A copy of production's data brings production's key along, which staging rejects. " +
				"Enter the staging key again after each copy.",
		})
	}
	notes = append(notes, note{
		Title: "Key not accepted?",
		Text:  "Paste it into our check page to see what it covers and why a server rejects it.",
		Links: []link{{"Check a license key", w.checkURL(d.Licenses)}},
	})
	if first := d.Licenses[0]; first.Bridges != "" {
		notes = append(notes, note{
			Title: "What happens on " + first.Expiration.Long() + "?",
			Text: "The bridge key expires at the end of that day (UTC) and cannot be renewed. " +
				"If the key that replaces it has not arrived by then, write to us.",
		})
	} else {
		notes = append(notes, note{
			Title: "Add the expiry date to your calendar",
			Text:  w.calendarText(first, license.Date{}),
		})
	}
	return append(notes, note{
		Title: "Have a question?",
		Text:  w.contactSales(licenseIDs(d.Licenses)),
	})
}

// licenseFacts lists what a license allows.
func licenseFacts(l license.License, d Delivery) []fact {
	from := "now"
	if !l.NotBefore.IsZero() {
		from = l.NotBefore.Long()
	}
	return slices.Concat([]fact{{"License ID", l.ID}, {"Organization", l.Organization}}, d.facts(l), []fact{
		{"Edition", l.Edition.Name()},
		{"License type", typeOf(l)},
		{"Server ID", string(l.Server)},
		{"Lines of code", "up to " + license.Lines(l.MaxLoc)},
		{"Features", featureNames(l, d.Catalog)},
		{"Languages", languageNames(l, d.Catalog)},
		{"Support", support(l.Support)},
		{"Valid from", from},
		{"Valid through", lastSecond(l)},
	})
}

// typeOf returns the type of a license, and of a bridge key that it is one.
func typeOf(l license.License) string {
	if l.Bridges != "" {
		return typeName(l.Type) + " (bridge key)"
	}
	return typeName(l.Type)
}

// languageNames lists the languages of the edition and those that the license adds.
func languageNames(l license.License, c *catalog.Catalog) string {
	if c == nil {
		c = &catalog.Catalog{}
	}
	edition, _ := c.Edition(string(l.Edition))
	var names []string
	for _, key := range slices.Concat(edition.Languages, l.Languages) {
		language, _ := c.Language(key)
		if name := cmp.Or(language.Name, key); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return strings.Join(names, ", ")
}

// featureNames lists the features of the edition and those that the license adds.
func featureNames(l license.License, c *catalog.Catalog) string {
	if c == nil {
		c = &catalog.Catalog{}
	}
	edition, _ := c.Edition(string(l.Edition))
	var names []string
	for _, key := range slices.Concat(edition.Features, l.Features) {
		feature, _ := c.Feature(key)
		if name := cmp.Or(feature.Name, key); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// hasCustomPackage reports whether one of the licenses has a custom package.
func hasCustomPackage(licenses []license.License) bool {
	return slices.ContainsFunc(licenses, func(l license.License) bool { return len(l.Packages) > 0 })
}

// installSteps say how to install a key. A server without the edition downloads the edition's plugins when it gets the
// key, but it does not know custom packages, and the Marketplace page of a cluster has no buttons (client-contract.md
// §6).
func (w Writer) installSteps(d Delivery) []string {
	edition := d.Licenses[0].Edition
	login := "Log in to " + w.product() + " as an administrator."
	const paste = "o to Administration > Configuration > License Manager and paste the key."
	switch {
	case hasCustomPackage(d.Licenses) && edition == license.DataCenter:
		return []string{
			"Install your custom package (see below) manually on every application node, and start the nodes.",
			login, "G" + paste + " The key is for the whole cluster.",
		}
	case hasCustomPackage(d.Licenses):
		return []string{"Install your custom package (see below) manually, and start the server.", login, "G" + paste}
	case edition == license.DataCenter:
		return []string{
			fmt.Sprintf("If the %s is not installed yet, install its package (see below) manually on every "+
				"application node, and start the nodes.", edition.Name()),
			login, "G" + paste + " The key is for the whole cluster.",
		}
	case edition == license.Community:
		return []string{login, "G" + paste}
	}
	return []string{
		login,
		fmt.Sprintf("If the %s is already installed, g%s", edition.Name(), paste),
		fmt.Sprintf("If not, go to Administration > Marketplace, choose Upgrade at the %s, "+
			"and paste the key when asked for it. "+
			"The server downloads the plugins and asks you to restart it.", edition.Name()),
		"No internet access? Install the package manually (see below), then paste the key in the License Manager.",
	}
}

// packageLinks lists the custom packages of the licenses, or if they have none, the package of the edition. A customer
// who installed the edition's package instead of the custom one would miss plugins.
func (w Writer) packageLinks(d Delivery) (links []link) {
	for _, l := range d.Licenses {
		for _, name := range l.Packages {
			custom := link{"Your custom package", w.CustomPackageURL(name)}
			if !slices.Contains(links, custom) {
				links = append(links, custom)
			}
		}
	}
	edition := d.Licenses[0].Edition
	page := w.URL + "/editions/" + url.PathEscape(string(edition))
	install := link{"How to install a package manually", page + "#install"}
	switch {
	case len(links) > 0 && edition == license.Community:
		return append(links, link{install.Label, page + "#custom"})
	case len(links) > 0:
		return append(links, install)
	case edition == license.Community:
		return nil
	}
	if d.Catalog != nil {
		if p, ok := d.Catalog.Package(string(edition), d.ProductVersion); ok && p.Withdrawn == "" {
			label := fmt.Sprintf("%s package for %s %s", edition.Name(), w.product(), p.Version)
			links = append(links, link{label, p.URL})
			install.URL = page + "/install?version=" + url.QueryEscape(p.Version)
		}
	}
	return append(links, link{fmt.Sprintf("All %s packages", edition.Name()), page}, install)
}

// checkURL returns the page that checks a key, filled in with the server if there is only one.
func (w Writer) checkURL(licenses []license.License) string {
	page := w.URL + "/licenses/check"
	if len(licenses) > 1 {
		return page
	}
	return page + "?" + url.Values{"serverId": {string(licenses[0].Server)}}.Encode()
}

// typeNames lists the types of the licenses, each once: "production and staging".
func typeNames(licenses []license.License) string {
	var names []string
	for _, l := range licenses {
		if name := strings.ToLower(l.Type.Name()); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, " and ")
}

// licenseIDs names the licenses: "the license IDs a and b".
func licenseIDs(licenses []license.License) string {
	if len(licenses) == 1 {
		return "the license ID " + licenses[0].ID
	}
	var ids []string
	for _, l := range licenses {
		ids = append(ids, l.ID)
	}
	last := len(ids) - 1
	return "the license IDs " + strings.Join(ids[:last], ", ") + " and " + ids[last]
}

func keyFile(l license.License) string { return fileName(l, ".txt") }

// fileName returns the name of an attached file about a license.
func fileName(l license.License, extension string) string {
	if !identifier().MatchString(l.ID) {
		return "license" + extension
	}
	return "license-" + l.ID + extension
}
