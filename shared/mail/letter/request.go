package letter

import (
	"fmt"
	"slices"
	"strings"

	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/request"
)

// RequestReceived asks the address of a license request to confirm it, or says that we have it if that is known
// (request.Request.AddressConfirmed).
//
// A stranger may have typed the address, so neither letter names anything that was typed: no name, no company, no free
// text, a server ID and lines of code only as ourFacts has them.
func (w Writer) RequestReceived(id string, r request.Request) mail.Message {
	if r.AddressConfirmed() {
		return w.requestOnRecord(id, r)
	}
	m := w.toAddress(id, mail.RequestReceived, r, subject("Please confirm your license request (%s)", r.Reference))
	return w.compose(m, content{
		Title:   "Please confirm your license request",
		Preview: "Someone requested a license for " + w.product() + " with this email address. Was it you?",
		Intro: []string{
			fmt.Sprintf("On %s, someone requested a license for %s with this email address. Was it you?",
				instant(r.Created), w.product()),
			afterConfirming(r),
		},
		Facts:  w.ourFacts(r),
		Lead:   confirmsForYou,
		Action: link{"Confirm the request", w.ConfirmURL(r)},
		Notes:  append(plannedNote(r), ifNotYou("request")),
		Footer: []string{w.whyToRequester()},
	})
}

// confirmsForYou says what the link of a letter that asks to confirm is worth.
const confirmsForYou = "The link is for you alone: whoever has it can confirm requests in your name."

// ifNotYou says what becomes of what the reader did not send.
func ifNotYou(what string) note {
	return note{
		Title: "If this wasn't you",
		Text: fmt.Sprintf("Ignore this email, or tell us so on that page. Without your confirmation nothing "+
			"happens, and we close the %s after %d days.", what, request.ConfirmDays),
	}
}

// requestOnRecord tells the address of a request, which is known to have sent it, that we have it.
func (w Writer) requestOnRecord(id string, r request.Request) mail.Message {
	deadline := w.Hours.DeadlineIn(r.Due, r.Zone)
	m := w.toAddress(id, mail.RequestReceived, r, subject("License request received (%s)", r.Reference))
	return w.compose(m, content{
		Title:   "We received your license request",
		Preview: fmt.Sprintf("%s. We will reply by %s.", r.Edition.Name(), w.Hours.Deadline(r.Due)),
		Intro: []string{
			fmt.Sprintf("We received your license request for %s on %s.", w.product(), instant(r.Created)),
			afterReceiving(r, deadline),
		},
		Facts:  w.ourFacts(r),
		Lead:   "You can track your request at any time. The link is private: anyone who has it can see the request.",
		Action: link{"Track your request", w.StatusURL(r)},
		Notes: append(plannedNote(r), note{
			Title: "Something wrong, or have a question?",
			Text:  w.contactSales("the reference"),
		}),
		Footer: []string{
			w.whyToRequester() + " If this wasn't you, please tell us: " + w.Sales.Email + ".",
		},
	})
}

// toAddress begins a message to the address of a request, which names nobody: the name was typed with the address.
func (w Writer) toAddress(id string, kind mail.Kind, r request.Request, subject string) mail.Message {
	return mail.Message{
		ID: id, Kind: kind, About: r.ID, To: mail.Address{Email: r.Email}, Greeting: mail.Greeting(""),
		ReplyTo: w.Sales, Subject: subject,
	}
}

// ourFacts lists what a request is for in our own words, as a letter to an unconfirmed address may have them: the ends
// of the server ID, and the lines of code as a license allows them.
func (w Writer) ourFacts(r request.Request) []fact {
	return []fact{
		{"Reference", string(r.Reference)},
		{"Request", r.Kind.Name()},
		{"Edition", r.Edition.Name()},
		{"Server ID", r.Server.Ends()},
		{"Lines of code", w.threshold(max(r.Loc, r.WantedLoc))},
		{"Planned for", plannedFor(r.Details)},
	}
}

// plannedFor words the day of a planned change of the server ID; "" if none is planned.
func plannedFor(d request.Details) string {
	if d.Planned.IsZero() {
		return ""
	}
	return d.Planned.Long()
}

// plannedIntro tells sales of a planned change.
func plannedIntro(r request.Request) []string {
	if !r.AwaitsServer() {
		return nil
	}
	return []string{fmt.Sprintf("The server ID changes on %s. "+
		"The customer will enter the new one on the request's page.", r.Planned.Long())}
}

// afterConfirming says what happens once a request is confirmed.
func afterConfirming(r request.Request) string {
	if r.AwaitsServer() {
		return "Confirm the request, and our sales team will prepare the new license."
	}
	return "Confirm the request, and our sales team will reply within one business day."
}

// afterReceiving says what happens to a request that needs no confirmation.
func afterReceiving(r request.Request, deadline string) string {
	if r.AwaitsServer() {
		return "Our sales team will prepare the new license, and email you if anything is left to clarify. Once you " +
			"have told us the new server ID, we will email the key within one business day."
	}
	return fmt.Sprintf("Our sales team will review it and email you by %s.", deadline)
}

// plannedNote says what to do on the day of a planned change; none if the new server ID is known.
func plannedNote(r request.Request) []note {
	if !r.AwaitsServer() {
		return nil
	}
	return []note{{
		Title: "What to do on " + r.Planned.Long(),
		Text: "Once the server shows its new ID under Administration > System, open the page of your request and " +
			"enter it there. We then issue the key for it.",
	}}
}

// threshold words how many lines of code the smallest license allows that covers some lines; "" without a catalog.
func (w Writer) threshold(lines int64) string {
	if w.catalog == nil || len(w.catalog.LOCThresholds) == 0 {
		return ""
	}
	if t, ok := w.catalog.LOCThreshold(lines); ok {
		return "up to " + license.Lines(t)
	}
	return "more than " + license.Lines(slices.Max(w.catalog.LOCThresholds))
}

// toCustomer begins a message about a request, from sales to the customer. Until the address is confirmed, it names
// nobody.
func (w Writer) toCustomer(id string, kind mail.Kind, r request.Request, topic string) mail.Message {
	m := w.toAddress(id, kind, r, subject("%s: %s (%s)", topic, r.Edition.Name(), r.Reference))
	if r.AddressConfirmed() {
		m.To.Name, m.Greeting = mail.PersonName(r.Name), mail.Greeting(r.Name)
	}
	return m
}

// whyToRequester says why the mail went to the address of a request.
func (w Writer) whyToRequester() string {
	return "You received this email because someone requested a license on " + w.URL + " with this address."
}

// customerFacts lists what a request is for as its customer may read it: in their own words once the address is
// confirmed, but without a replaced license that is no ID.
func (w Writer) customerFacts(r request.Request) (reference fact, asked []fact) {
	if !r.AddressConfirmed() {
		facts := w.ourFacts(r)
		return facts[0], facts[1:]
	}
	named := license.ReadReference(r.Replaces)
	r.Replaces = strings.TrimRight(named.Text(), ".")
	if !named.Alone || !identifier().MatchString(r.Replaces) {
		r.Replaces = ""
	}
	return fact{"Reference", string(r.Reference)}, w.detailFacts(r.Details)
}

// RequestNew tells sales of a new license request, with all that the customer said. Replies go to the customer.
func (w Writer) RequestNew(id string, r request.Request) mail.Message {
	deadline := w.Hours.Deadline(r.Due)
	m := mail.Message{
		ID: id, Kind: mail.RequestNew, About: r.ID,
		To: w.Sales, ReplyTo: mail.Address{Name: input.OneLine(r.Name, mail.MaxName), Email: r.Email},
		Subject: subject("New license request %s: %s, %s, %s", r.Reference, r.Kind, r.Edition.Name(), r.Company),
	}
	return w.compose(m, content{
		Title:   "New license request",
		Preview: fmt.Sprintf("Due by %s. %s, %s, %s", deadline, r.Kind, r.Edition.Name(), r.Company),
		Intro: append([]string{
			fmt.Sprintf("A customer is waiting for a reply, due by %s.", deadline),
		}, plannedIntro(r)...),
		Facts: slices.Concat([]fact{
			{"Reference", string(r.Reference)},
			{"Received", instant(r.Created)},
			{"Reply due by", deadline},
		}, w.detailFacts(r.Details), []fact{
			{"Company", r.Company},
			{"Country", r.Country},
			{"Name", r.Name},
			{"Email", r.Email},
			{"Phone", r.Phone},
			{"Further contacts", strings.Join(r.Contacts, ", ")},
		}),
		Message: quotation{"Message from the customer:", splitLines(r.Message)},
		Action:  link{"Open in the console", w.URL + "/console/requests/" + r.ID},
		Footer: []string{
			"The details are as the customer entered them; nobody has verified them. " + whoGetsReplies(m),
		},
	})
}

// whoGetsReplies says whether a reply reaches the customer: of an address that mail cannot be sent to, only the text
// tells.
func whoGetsReplies(m mail.Message) string {
	if _, err := m.ReplyTo.Mailbox(); err != nil {
		return "Email cannot be sent to the customer's address: do not reply to this email, reach them another way."
	}
	return "Replies to this email go to the customer."
}

// detailFacts lists what a customer requests.
func (w Writer) detailFacts(d request.Details) []fact {
	return []fact{
		{"Request", d.Kind.Name()},
		{"Edition", d.Edition.Name()},
		{"Server ID", string(d.Server)},
		{"Lines of code", d.Counted()},
		{"Lines of code to license", d.Wanted()},
		{w.product() + " version", d.ProductVersion},
		{"Related license or server", d.Replaces},
		{"Server use", string(d.Environment)},
		{"Old server", d.OldServer.Name()},
		{"What changes the ID", d.Change.Name()},
		{"Planned for", plannedFor(d)},
	}
}
