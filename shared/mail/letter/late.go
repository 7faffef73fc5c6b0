package letter

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
)

// late writes who is told that a request is late.
func (w Writer) late(n notice.Notice, r notice.Records) (mail.Message, error) {
	switch {
	case r.Request.ID != n.About:
		return mail.Message{}, fmt.Errorf("request %s is not in the records", n.About)
	case r.Now.IsZero():
		return mail.Message{}, errors.New("the records are of no time")
	case n.Kind == mail.RequestLate:
		return w.RequestLate(n, r.Request, r.Now), nil
	}
	return w.RequestLateSales(n, r.Request, r.Reviewer, r.Now), nil
}

// RequestLate tells the reviewer of a request at a time that it is late.
func (w Writer) RequestLate(n notice.Notice, r request.Request, now time.Time) mail.Message {
	m := mail.Message{ID: n.ID, Kind: n.Kind, About: r.ID, ReplyTo: w.Sales}.AddressedTo(n.To)
	c := w.lateContent(r, now)
	c.Intro = []string{"You are reviewing this license request. " + w.wasDue(r, now) +
		" The customer is still waiting."}
	c.Lead = "If nobody answers within two office hours, we will email " + w.Sales.Email + " too."
	c.Footer = []string{"You received this email because you are reviewing the request. " + oncePerDeadline}
	return w.compose(lateSubject(m, r), c)
}

// RequestLateSales tells sales at a time that a request is late. reviewer is the name of who works on it; "" if that is
// unknown.
func (w Writer) RequestLateSales(n notice.Notice, r request.Request, reviewer string, now time.Time) mail.Message {
	m := mail.Message{ID: n.ID, Kind: n.Kind, About: r.ID, To: w.Sales, ReplyTo: w.Sales}
	c := w.lateContent(r, now)
	intro := "Nobody is reviewing this license request. " + w.wasDue(r, now)
	if r.Reviewer != "" {
		reviewer = cmp.Or(reviewer, r.Reviewer)
		intro = reviewer + " is reviewing this license request. " + w.wasDue(r, now)
		c.Facts = append(c.Facts, fact{"Reviewer", r.Reviewer})
		if told := r.LateTold; told.Due.Equal(r.Due) && !told.Reviewer.IsZero() {
			c.Facts = append(c.Facts, fact{"Reviewer told", w.Hours.Time(told.Reviewer)})
		}
	}
	c.Intro = []string{intro + " The customer is still waiting."}
	c.Footer = []string{oncePerDeadline}
	return w.compose(lateSubject(m, r), c)
}

const oncePerDeadline = "We send this email once for each deadline."

func lateSubject(m mail.Message, r request.Request) mail.Message {
	m.Subject = subject("Late license request %s: %s, %s, %s", r.Reference, r.Kind, r.Edition.Name(), r.Company)
	return m
}

// lateContent is what the letters about a late request have in common.
func (w Writer) lateContent(r request.Request, now time.Time) content {
	return content{
		Title:   "A license request is late",
		Preview: fmt.Sprintf("Due by %s. %s, %s, %s", w.Hours.Deadline(r.Due), r.Kind, r.Edition.Name(), r.Company),
		Facts: slices.Concat([]fact{
			{"Reference", string(r.Reference)},
			{"Company", r.Company},
			{"Received", w.Hours.Time(r.Created)},
			{"Reply due by", w.Hours.Deadline(r.Due)},
		}, w.detailFacts(r.Details)),
		Action: link{"Open in the console", w.URL + "/console/requests/" + url.PathEscape(r.ID)},
	}
}

// wasDue says when the reply to a request was due, and how long ago that is.
func (w Writer) wasDue(r request.Request, now time.Time) string {
	return fmt.Sprintf("The reply was due by %s, %s ago.", w.Hours.Deadline(r.Due), elapsed(now.Sub(r.Due)))
}

// elapsed words how long something took, at least a minute: minutes up to two hours, hours up to two days, then days.
func elapsed(d time.Duration) string {
	n, unit := max(1, int(d/time.Minute)), "minute"
	switch {
	case d >= 48*time.Hour:
		n, unit = int(d/(24*time.Hour)), "day"
	case d >= 2*time.Hour:
		n, unit = int(d/time.Hour), "hour"
	}
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprintf("%d %s", n, unit)
}
