package letter

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
)

// asking writes what is about who sent a request, and what contacts say about that.
func (w Writer) asking(n notice.Notice, r notice.Records) (mail.Message, error) {
	if r.Request.ID != n.About {
		return mail.Message{}, fmt.Errorf("request %s is not in the records", n.About)
	}
	switch n.Kind {
	case mail.RequestsToConfirm:
		return w.RequestsToConfirm(n.ID, r.Request, r.Requests), nil
	case mail.RequestAsk:
		return w.RequestAsk(n, r.Request, r.Organization, r.Server), nil
	case mail.RequestsOfDomain:
		return w.RequestsOfDomain(n.ID, r.Request), nil
	}
	answered := func(a request.Answer) bool { return input.SameMailbox(a.By, n.Author) }
	i := slices.IndexFunc(r.Request.Answers, answered)
	if i < 0 {
		return mail.Message{}, errors.New("the contact's answer is not in the records")
	}
	return w.RequestAnswered(n.ID, r.Request, r.Request.Answers[i]), nil
}

// RequestsToConfirm asks the address of a request to confirm that one and others, listed with it. Like RequestReceived,
// it names nothing that was typed.
func (w Writer) RequestsToConfirm(id string, r request.Request, list []request.Request) mail.Message {
	if !slices.ContainsFunc(list, func(other request.Request) bool { return other.ID == r.ID }) {
		list = append(slices.Clone(list), r)
	}
	var facts []fact
	for _, one := range list {
		what := []string{one.Kind.Name(), one.Edition.Name(), "server " + one.Server.Ends(), instant(one.Created)}
		facts = append(facts, fact{string(one.Reference), strings.Join(what, "; ")})
	}
	m := w.toAddress(id, mail.RequestsToConfirm, r, subject("Please confirm your license requests: %d", len(list)))
	return w.compose(m, content{
		Title:   "Please confirm your license requests",
		Preview: "Someone requested licenses for " + w.product() + " with this email address. Was it you?",
		Intro: []string{
			"Someone requested licenses for " + w.product() + " with this email address. Was it you?",
			"Confirm the requests that are yours, and our sales team will reply within one business day. " +
				"We will send you no more emails about new requests today.",
		},
		Facts:  facts,
		Lead:   confirmsForYou,
		Action: link{"Confirm the requests", w.ConfirmURL(r)},
		Notes:  []note{ifNotYou("requests")},
		Footer: []string{w.whyToRequester()},
	})
}

// RequestAsk asks a contact of a customer whether a request is theirs, by a private link. server is that of the
// instance on record that the request is about; "" if none is known. Who asks is named by the address alone, and
// nothing else that was typed is named.
func (w Writer) RequestAsk(n notice.Notice, r request.Request, organization string,
	server license.Server) mail.Message {
	asked := r.Server.Ends()
	if r.Server == server {
		asked = ""
	}
	m := mail.Message{
		ID: n.ID, Kind: mail.RequestAsk, About: r.ID, ReplyTo: w.Sales,
		Subject: subject("Is this license request yours? (%s)", r.Reference),
	}
	return w.compose(m.AddressedTo(n.To), content{
		Title:   "Is this license request yours?",
		Preview: "Someone asked us for a license. Please answer yes or no.",
		Intro: []string{
			fmt.Sprintf("On %s, someone asked us for a license that concerns %s, "+
				"and we are not sure that the person may speak for your company. "+
				"Is this request yours, or did your company agree to it?",
				instant(r.Created), cmp.Or(organization, "your company")),
		},
		Facts: []fact{
			{"Reference", string(r.Reference)},
			{"Requested by", r.Email},
			{"Request", r.Kind.Name()},
			{"Edition", r.Edition.Name()},
			{"Your server", string(server)},
			{"Requested for server", asked},
			{"Lines of code", w.threshold(max(r.Loc, r.WantedLoc))},
		},
		Lead:   "The link is for you alone: whoever has it can answer in your name.",
		Action: link{"Answer yes or no", w.AnswerURL(n)},
		Notes: []note{{
			Title: "What happens then?",
			Text: "If you say yes, we may issue a license and send its key to the address above. A replacement or an " +
				"upgrade also revokes the old license. If you say no, we will not do so unless your company tells us " +
				"otherwise. If you do not answer, our sales team will find another way to check who is asking.",
		}},
		Footer: []string{
			"You received this email because you are a contact for " + cmp.Or(organization, "the license") + ". " +
				"We check with you before anyone else can take over your licenses.",
		},
	})
}

// AnswerURL returns the private link with which a contact says whether a request is theirs. It names the first of two
// emails, if the second repeats it.
func (w Writer) AnswerURL(n notice.Notice) string {
	q := url.Values{"mail": {cmp.Or(n.Repeats, n.ID)}, "token": {n.Nonce}}
	return w.URL + AnswerPath + url.PathEscape(n.About) + "?" + q.Encode()
}

// AnswerPath begins the path of AnswerURL within the site.
const AnswerPath = "/answer/"

// RequestAnswered tells sales what a contact answered.
func (w Writer) RequestAnswered(id string, r request.Request, a request.Answer) mail.Message {
	answer, intro := "no", "Do not grant the request unless the customer tells you otherwise in another way."
	if a.Yes {
		answer, intro = "yes", "The request counts as the customer's own as long as this contact may speak for them."
	}
	m := mail.Message{
		ID: id, Kind: mail.RequestAnswered, About: r.ID, To: w.Sales, ReplyTo: w.Sales,
		Subject: subject("A contact said %s to request %s: %s", answer, r.Reference, r.Company),
	}
	return w.compose(m, content{
		Title:   "A contact said " + answer,
		Preview: fmt.Sprintf("%s about %s.", a.By, r.Reference),
		Intro:   []string{fmt.Sprintf("We asked %s whether request %s is theirs. %s", a.By, r.Reference, intro)},
		Facts: slices.Concat([]fact{
			{"Reference", string(r.Reference)},
			{"Answer", answer},
			{"Answered", instant(a.At)},
			{"Company", r.Company},
			{"Name", r.Name},
			{"Email", r.Email},
		}, w.detailFacts(r.Details)),
		Action: link{"Open in the console", w.URL + "/console/requests/" + url.PathEscape(r.ID)},
		Footer: []string{"We ask contacts when somebody else requests what could take something from their company."},
	})
}

// RequestsOfDomain tells sales that unusually many unconfirmed requests came from the mail domain of a request today.
func (w Writer) RequestsOfDomain(id string, r request.Request) mail.Message {
	domain := notice.Customer(r.Email)
	m := mail.Message{
		ID: id, Kind: mail.RequestsOfDomain, About: r.ID, To: w.Sales, ReplyTo: w.Sales,
		Subject: subject("Unusually many unconfirmed requests from %s", domain),
	}
	return w.compose(m, content{
		Title:   "Unusually many unconfirmed requests",
		Preview: domain + ": somebody may be using its addresses.",
		Intro: []string{
			"Unusually many requests with addresses at " + domain + " came in today, and nobody has confirmed them. " +
				"Somebody may be typing addresses of other people. Its people can still send and confirm requests.",
		},
		Facts:  []fact{{"Domain", domain}, {"One of them", string(r.Reference)}},
		Lead:   "If a customer is behind them, there is nothing to do: their requests appear once they are confirmed.",
		Action: link{"Open in the console", w.URL + "/console?show=unconfirmed"},
		Footer: []string{"We send this email at most once a day for each mail domain."},
	})
}
