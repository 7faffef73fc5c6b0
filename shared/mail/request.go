package mail

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"marketplace/shared/lazyregexp"
	"marketplace/shared/license"
	"marketplace/shared/request"
)

// Site is what messages say of the vendor.
type Site struct {
	URL   string  // where customers reach the site (SITE_URL), without a slash at the end
	Sales Address // whom customers write to, and who is told of requests
	// Packages is where package ZIPs are kept (PACKAGES_URL), without a slash at the end; those that were tailored for a
	// license lie under tailored/. Only mails with keys of such licenses need it.
	Packages string
}

// StatusURL is the private link that shows a customer how far a request is.
func (s Site) StatusURL(r request.Request) string { return s.URL + StatusPath(r) }

// StatusPath is the same within the site.
func StatusPath(r request.Request) string {
	return "/requests/" + url.PathEscape(r.ID) + "?token=" + url.QueryEscape(r.Token)
}

// instant is a time as people are told it, in UTC.
const instant = "02 Jan 2006, 15:04 UTC"

// identifier is what of a license ID or a server ID a mail repeats: nothing with a dot, of which readers make a link.
var identifier = lazyregexp.New(`^[A-Za-z0-9_-]{0,64}$`)

// NewRequestReceived tells a customer that a license request came. The request may have come from anybody under anybody's
// address, so the message repeats nothing that could carry text of a stranger's choice: no message, no company, and a name
// or an ID only where it looks like one.
func NewRequestReceived(site Site, id string, r request.Request) Message {
	if !identifier().MatchString(r.Replaces) {
		r.Replaces = ""
	}
	c := content{
		Title:    "We have your license request",
		Preview:  fmt.Sprintf("%s. You will have an answer by %s.", r.Edition.Name(), r.Due.UTC().Format(instant)),
		Greeting: greeting(r.Name),
		Intro: []string{
			fmt.Sprintf("Your request for a SonarQube license came on %s, and our sales team is looking at it. You will have an answer within one business day: by %s. It comes by mail to this address.",
				r.Created.UTC().Format(instant), r.Due.UTC().Format(instant)),
		},
		Facts: append([]fact{{"Reference", r.ID}}, asked(r.Details)...),
		Lead:  "See at any time how far your request is. The link is private: whoever has it can see the request.",
		Action: link{
			Label: "Follow the request",
			URL:   site.StatusURL(r),
		},
		Notes: []note{{
			Title: "Is something wrong, or do you have a question?",
			Text:  fmt.Sprintf("Reply to this mail, or write to %s, and give the reference.", site.Sales.Email),
		}},
		Footer: []string{"You get this mail because a license was requested on " + site.URL + " with this address. If that was not you, you need not do anything: no key is sent without a check by our sales team."},
	}
	m := Message{
		ID: id, Kind: RequestReceived, About: r.ID,
		To: Address{Name: personName(r.Name), Email: r.Email}, ReplyTo: site.Sales,
		Subject: oneLine(fmt.Sprintf("License request received: %s (%s)", r.Edition.Name(), r.ID), maxSubject),
	}
	m.Text, m.HTML = c.layOut()
	return m
}

// NewRequestNew tells sales of a new license request, with all that the customer said. Replies go to the customer.
func NewRequestNew(site Site, id string, r request.Request) Message {
	facts := slices.Concat([]fact{
		{"Reference", r.ID},
		{"Came", r.Created.UTC().Format(instant)},
		{"Answer due", r.Due.UTC().Format(instant)},
	}, asked(r.Details), []fact{
		{"Company", r.Company},
		{"Country", r.Country},
		{"Name", r.Name},
		{"E-mail", r.Email},
		{"Phone", r.Phone},
		{"Further contacts", strings.Join(r.Contacts, ", ")},
	})
	c := content{
		Title:   "New license request",
		Preview: fmt.Sprintf("Due %s. %s, %s, %s", r.Due.UTC().Format(instant), r.Kind, r.Edition.Name(), r.Company),
		Intro:   []string{fmt.Sprintf("A customer waits for an answer, due by %s.", r.Due.UTC().Format(instant))},
		Facts:   facts,
		Quote:   quotation{"The customer's message:", lines(r.Message)},
		Action:  link{Label: "Open it in the console", URL: site.URL + "/console/requests/" + r.ID},
		Footer:  []string{"What the customer typed is shown as it came: nobody has checked it. A reply to this mail goes to the customer."},
	}
	m := Message{
		ID: id, Kind: RequestNew, About: r.ID,
		To: site.Sales, ReplyTo: Address{Name: oneLine(r.Name, maxName), Email: r.Email},
		Subject: oneLine(fmt.Sprintf("New license request: %s, %s, %s", r.Kind, r.Edition.Name(), r.Company), maxSubject),
	}
	m.Text, m.HTML = c.layOut()
	return m
}

// asked are the facts of what a customer asks for.
func asked(d request.Details) []fact {
	return []fact{
		{"Request", d.Kind.Name()},
		{"Edition", d.Edition.Name()},
		{"Server ID", string(d.Server)},
		{"Lines of code", license.Lines(d.Loc)},
		{"Product version", d.ProductVersion},
		{"About license or server", d.Replaces},
		{"Server is used for", string(d.Environment)},
		{"Old server", string(d.OldServer)},
	}
}

// lines parts what somebody wrote; nothing but white space has none.
func lines(s string) []string {
	if s = strings.TrimSpace(s); s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

func greeting(name string) string {
	if name = personName(name); name != "" {
		return "Hello " + name + ","
	}
	return "Hello,"
}

// personName is the name where it looks like a person's, else "": letters, spaces, and the few signs that names have. A
// name that holds an address of a web page, or the text of an advertisement, is none.
func personName(name string) string {
	name = oneLine(name, maxName)
	runes := []rune(name)
	if len(runes) > 60 {
		return ""
	}
	for i, r := range runes {
		switch {
		case unicode.IsLetter(r), unicode.IsMark(r), r == ' ', r == '-', r == '\'', r == '’', r == '\u200D', r == '\u200C':
		case r == '.' && (i == len(runes)-1 || runes[i+1] == ' '):
		default:
			return ""
		}
	}
	return name
}
