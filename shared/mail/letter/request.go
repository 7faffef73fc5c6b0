package letter

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"marketplace/shared/lazyregexp"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/request"
)

// Writer writes letters. Its fields are what they say about the vendor.
type Writer struct {
	URL   string       // where customers reach the site (SITE_URL), without a slash at the end
	Sales mail.Address // whom customers write to, and who is told of requests
	// Packages is where package ZIPs are kept (PACKAGES_URL), without a slash at the end; those that were tailored for a
	// license lie under tailored/. Only mails with keys of such licenses need it.
	Packages string
}

// StatusURL is the private link that shows a customer how far a request is.
func (w Writer) StatusURL(r request.Request) string { return w.URL + StatusPath(r) }

// StatusPath is the same within the site.
func StatusPath(r request.Request) string {
	return "/requests/" + url.PathEscape(r.ID) + "?token=" + url.QueryEscape(r.Token)
}

// instant is a time as people are told it, in UTC.
const instant = "02 Jan 2006, 15:04 UTC"

// identifier is what of a license ID or a server ID a mail repeats: nothing with a dot, of which readers make a link.
var identifier = lazyregexp.New(`^[A-Za-z0-9_-]{0,64}$`)

// RequestReceived tells a customer that a license request came. The request may have come from anybody under anybody's
// address, so the message repeats nothing that could carry text of a stranger's choice: no message, no company, and a name
// or an ID only where it looks like one.
func (w Writer) RequestReceived(id string, r request.Request) mail.Message {
	if !identifier().MatchString(r.Replaces) {
		r.Replaces = ""
	}
	c := content{
		Title:   "We have your license request",
		Preview: fmt.Sprintf("%s. You will have an answer by %s.", r.Edition.Name(), r.Due.UTC().Format(instant)),
		Intro: []string{
			fmt.Sprintf("Your request for a SonarQube license came on %s, and our sales team is looking at it. You will have an answer within one business day: by %s. It comes by mail to this address.",
				r.Created.UTC().Format(instant), r.Due.UTC().Format(instant)),
		},
		Facts: append([]fact{{"Reference", r.ID}}, asked(r.Details)...),
		Lead:  "See at any time how far your request is. The link is private: whoever has it can see the request.",
		Action: link{
			Label: "Follow the request",
			URL:   w.StatusURL(r),
		},
		Notes: []note{{
			Title: "Is something wrong, or do you have a question?",
			Text:  fmt.Sprintf("Reply to this mail, or write to %s, and give the reference.", w.Sales.Email),
		}},
		Footer: []string{"You get this mail because a license was requested on " + w.URL + " with this address. If that was not you, you need not do anything: no key is sent without a check by our sales team."},
	}
	m := mail.Message{
		ID: id, Kind: mail.RequestReceived, About: r.ID,
		To: mail.Address{Name: mail.PersonName(r.Name), Email: r.Email}, Greeting: mail.Greeting(r.Name), ReplyTo: w.Sales,
		Subject: mail.OneLine(fmt.Sprintf("License request received: %s (%s)", r.Edition.Name(), r.ID), maxSubject),
	}
	return compose(m, c)
}

// RequestNew tells sales of a new license request, with all that the customer said. Replies go to the customer.
func (w Writer) RequestNew(id string, r request.Request) mail.Message {
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
		Action:  link{Label: "Open it in the console", URL: w.URL + "/console/requests/" + r.ID},
		Footer:  []string{"What the customer typed is shown as it came: nobody has checked it. A reply to this mail goes to the customer."},
	}
	m := mail.Message{
		ID: id, Kind: mail.RequestNew, About: r.ID,
		To: w.Sales, ReplyTo: mail.Address{Name: mail.OneLine(r.Name, mail.MaxName), Email: r.Email},
		Subject: mail.OneLine(fmt.Sprintf("New license request: %s, %s, %s", r.Kind, r.Edition.Name(), r.Company), maxSubject),
	}
	return compose(m, c)
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
