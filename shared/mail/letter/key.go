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
	"marketplace/shared/reminder"
)

// Delivery is what a mail with license keys brings.
type Delivery struct {
	To       license.Contact
	Licenses []license.License // at least one, each with its KeyText: a license alone, or production with its staging licenses
	Again    bool              // the customer has had the keys before
	// ProductVersion is that of the customer's server, such as "6.7.1"; "" where it is not known.
	ProductVersion string
	// Catalog has the names of languages and the addresses of packages; nil: keys stand for names, and the edition's page
	// for its packages.
	Catalog *catalog.Catalog
}

// LicenseKey brings a customer license keys: in the text, each as one line however long it is, and as attached files; with
// what each allows, how to set it, where the packages are, and the expiration as a calendar file. A key is not altered in any
// way (CLIENT-CONTRACT §5).
func (w Writer) LicenseKey(id string, d Delivery) mail.Message {
	first := d.Licenses[0]
	edition := first.Edition.Name()
	several := len(d.Licenses) > 1
	c := content{
		Title: "Your license key",
		Intro: []string{fmt.Sprintf("Here is your license key for SonarQube %s. It stands below, and in the attached file %s.", edition, keyFile(first))},
		Footer: []string{
			"A key works on no other server than the one whose ID it bears. You get this mail because you are a contact of the license.",
		},
	}
	subject := fmt.Sprintf("Your SonarQube %s license key, valid through %s", edition, first.Expiration.Long())
	if several {
		c.Title = "Your license keys"
		c.Intro = []string{fmt.Sprintf("Here are your %d license keys for SonarQube. Each is for one server: take care to set the right one. They stand below, and in the attached files.", len(d.Licenses))}
		subject = "Your SonarQube license keys: " + types(d.Licenses)
	}
	if d.Again {
		c.Title += ", once more"
		subject = "Once more: " + subject
		c.Intro = append(c.Intro, "This is what we sent you before. Where it is set already, there is nothing to do.")
	}
	c.Preview = fmt.Sprintf("%s of %s: valid through %s.", edition, first.Organization, through(first))

	var attachments []mail.Attachment
	for _, l := range d.Licenses {
		part := keyPart{Facts: allowed(l, d.Catalog), Lead: fmt.Sprintf("The key is one line without spaces. If your mail program has broken it, take it from the file %s.", keyFile(l)), Key: l.KeyText}
		if several {
			part.Title = l.Type.Name() + " license, server " + string(l.Server)
		}
		c.Keys = append(c.Keys, part)
		attachments = append(attachments, mail.Attachment{Name: keyFile(l), ContentType: "text/plain; charset=us-ascii", Data: []byte(l.KeyText + "\n")})
	}
	for _, l := range d.Licenses {
		attachments = append(attachments, mail.Attachment{Name: fileName(l, ".ics"), ContentType: calendarType, Data: w.calendar(l)})
	}
	c.Notes = []note{
		{Title: "Set the key in SonarQube", Steps: steps(d)},
		w.packages(d),
		{
			Title: "Does the server refuse it?",
			Text:  "Paste the key into our check page: it says all that the key allows, and what is wrong with it.",
			Links: []link{{"Check a license key", checkURL(w.URL, d.Licenses)}},
		},
		{
			Title: "Put the expiration into your calendar",
			Text:  calendarText(first),
		},
		{
			Title: "Do you have a question?",
			Text:  fmt.Sprintf("Reply to this mail, or write to %s, and give the license: %s.", w.Sales.Email, ids(d.Licenses)),
		},
	}
	c.Notes = slices.DeleteFunc(c.Notes, func(n note) bool { return n.Title == "" })

	m := mail.Message{
		ID: id, Kind: mail.LicenseKey, About: first.ID,
		ReplyTo: w.Sales,
		Subject: mail.OneLine(subject, maxSubject), Attachments: attachments,
	}
	return compose(m.AddressedTo(d.To), c)
}

// allowed are the facts of what a license allows.
func allowed(l license.License, c *catalog.Catalog) []fact {
	from := "at once"
	if !l.NotBefore.IsZero() {
		from = l.NotBefore.Long()
	}
	return []fact{
		{"License", l.ID},
		{"Organization", l.Organization},
		{"Edition", l.Edition.Name()},
		{"License type", typeName(l.Type)},
		{"Server ID", string(l.Server)},
		{"Lines of code", "up to " + license.Lines(l.MaxLoc)},
		{"Languages", languages(l, c)},
		{"Support", support(l.Support)},
		{"Valid from", from},
		{"Valid through", through(l)},
	}
}

// languages are the names of those that the edition has, and of those that the license adds.
func languages(l license.License, c *catalog.Catalog) string {
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

// steps say how to set a key. A server that lacks the edition fetches the edition's plugins when it gets the key; of a package
// that was tailored it knows nothing.
func steps(d Delivery) []string {
	edition := d.Licenses[0].Edition
	tailored := slices.ContainsFunc(d.Licenses, func(l license.License) bool { return len(l.Packages) > 0 })
	login := "Log in to SonarQube as an administrator."
	set := "Open Administration, Configuration, License Manager, and set the key there."
	switch {
	case tailored:
		return []string{"Install the package that we made for you (below) by hand, and start the server.", login, set}
	case edition == license.Community:
		return []string{login, set}
	}
	return []string{
		login,
		fmt.Sprintf("Is the %s installed already? %s That is all.", edition.Name(), set),
		fmt.Sprintf("If not, open Administration, Marketplace, choose to install the %s, and paste the key when you are asked for it. The server fetches the plugins by itself, and asks for a restart.", edition.Name()),
		"A server without a way to the internet cannot do that: install the package by hand (below), then set the key in the License Manager.",
	}
}

// packages says where the packages are: those that were tailored for the licenses, and that of the edition.
func (w Writer) packages(d Delivery) note {
	var links []link
	for _, l := range d.Licenses {
		for _, name := range l.Packages {
			tailored := link{"The package that we made for you", w.Packages + "/tailored/" + url.PathEscape(name)}
			if !slices.Contains(links, tailored) {
				links = append(links, tailored)
			}
		}
	}
	first := d.Licenses[0]
	page := w.URL + "/editions/" + url.PathEscape(string(first.Edition))
	if d.Catalog != nil && first.Edition != license.Community {
		if p, ok := d.Catalog.Package(string(first.Edition), d.ProductVersion); ok && p.Withdrawn == "" {
			links = append(links, link{fmt.Sprintf("The package of the %s for SonarQube %s", first.Edition.Name(), p.Version), p.URL})
		}
	}
	if first.Edition != license.Community {
		links = append(links,
			link{fmt.Sprintf("All packages of the %s", first.Edition.Name()), page},
			link{"How to install a package by hand", page + "#install"},
		)
	}
	if len(links) == 0 {
		return note{}
	}
	return note{Title: "Packages", Links: links}
}

// checkURL is the page that checks a key, filled in with the server where there is but one.
func checkURL(site string, licenses []license.License) string {
	page := site + "/licenses/check"
	if len(licenses) > 1 {
		return page
	}
	return page + "?" + url.Values{"serverId": {string(licenses[0].Server)}}.Encode()
}

// calendarText says what the calendar file of a license is good for.
func calendarText(l license.License) string {
	const has = "The attached calendar file has the day on which the license expires"
	var before []string
	for _, stage := range reminder.Default.Within(l) {
		before = append(before, months(stage))
	}
	if len(before) == 0 {
		return has + ". The term is too short for reminders."
	}
	return has + ", and reminds you " + strings.Join(before, " and ") + " before. We write to you then, too."
}

func months(s reminder.Stage) string {
	switch s {
	case 1:
		return "one month"
	case 2:
		return "two months"
	}
	return fmt.Sprintf("%d months", s)
}

// types names what licenses are for, each type once: production and staging.
func types(licenses []license.License) string {
	var names []string
	for _, l := range licenses {
		if name := strings.ToLower(l.Type.Name()); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, " and ")
}

func ids(licenses []license.License) string {
	var list []string
	for _, l := range licenses {
		list = append(list, l.ID)
	}
	return strings.Join(list, ", ")
}

func keyFile(l license.License) string { return fileName(l, ".txt") }

// fileName is the name of an attached file about a license.
func fileName(l license.License, extension string) string {
	if !identifier().MatchString(l.ID) {
		return "license" + extension
	}
	return "license-" + l.ID + extension
}
