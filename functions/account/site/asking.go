package site

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"marketplace/catalog"
	"marketplace/functions/account/signin"
	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/requester"
	"marketplace/shared/token"
	"marketplace/shared/web"
)

// What a contact asks for about an installation: a link of the overview opens a form with everything filled in that we
// know. What is sent is proven, since the person is signed in: it is confirmed and linked as it is filed.

// Requester has the requests of the customer. shared/store/requester implements it.
type Requester interface {
	// Requests reads the newest requests of some customers, and those from an address.
	Requests(ctx context.Context, customers []string, email string) ([]request.Request, error)
	// Request reads a request. An unknown one is a NotFound fault.
	Request(ctx context.Context, id string) (request.Request, error)
	// AnswerQuestion answers the question of a request. It is a Conflict fault if that is no longer open.
	AnswerQuestion(ctx context.Context, id string, who requester.Who, question, text string) error
	// CorrectRequest gives a request of a version other details. It is a Conflict fault if the request changed
	// meanwhile.
	CorrectRequest(ctx context.Context, id string, who requester.Who, version int64, d request.Details) error
	// CancelRequest withdraws a request. It is a Conflict fault if the request is closed.
	CancelRequest(ctx context.Context, id string, who requester.Who) error
}

// ask is something that a contact can ask for.
type ask struct {
	path   string // the last part of the address
	kind   request.Kind
	title  string
	lead   string
	fields func(asking) []web.Field
	// refused says why it cannot be asked for about a license; "" if it can.
	refused func(customer.Instance, customer.License) string
}

// asking is what the form of an ask is filled from.
type asking struct {
	instance customer.Instance
	license  customer.License
	form     request.HeldForm
	product  string
	catalog  *catalog.Catalog
}

var asks = []ask{
	{path: "renew", kind: request.Renewal, title: "Renew the license",
		lead: "The next license begins when this one ends.", refused: notOfEvaluation,
		fields: func(a asking) []web.Field {
			return []web.Field{a.wanted("Leave room to grow: a license ends at its limit."), a.counted(), a.message()}
		}},
	{path: "upgrade", kind: request.Upgrade, title: "More lines of code or a larger edition",
		lead: "The new license replaces this one through the same last day.", refused: notOfEvaluation,
		fields: func(a asking) []web.Field {
			return []web.Field{a.edition(), a.wanted("At least what you have today."), a.counted(), a.message()}
		}},
	{path: "replace", kind: request.Replacement, title: "Move the license to another server ID",
		lead:    "We issue the license again for the new server ID and revoke the old one.",
		refused: func(customer.Instance, customer.License) string { return "" },
		fields: func(a asking) []web.Field {
			return []web.Field{a.server("New server ID"), a.oldServer(), a.counted(), a.message()}
		}},
	{path: planPath, kind: request.Replacement, title: "Plan a new server ID",
		lead: "Ask beforehand, and nothing is left to clarify on the day. Then tell us the new ID, and we issue the " +
			"license for it.",
		refused: func(customer.Instance, customer.License) string { return "" },
		fields: func(a asking) []web.Field {
			return []web.Field{a.change(), a.planned(), a.message()}
		}},
	{path: "staging", kind: request.Staging, title: "Request a staging license",
		lead: "A second server that mirrors this one gets a key of its own.", refused: staging,
		fields: func(a asking) []web.Field {
			return []web.Field{a.server("Server ID of the staging server"), a.counted(), a.message()}
		}},
}

func notOfEvaluation(_ customer.Instance, l customer.License) string {
	if l.Type == license.Evaluation {
		return "An evaluation license is neither renewed nor upgraded. Request a new license instead."
	}
	return ""
}

func staging(i customer.Instance, l customer.License) string {
	terms := customer.Terms{Edition: l.Edition, Support: l.Support}
	switch {
	case i.Environment == request.StagingUse:
		return "This installation is a staging server itself. Open the production server that it mirrors."
	case l.Type == license.Evaluation:
		return notOfEvaluation(i, l)
	case !terms.StagingAllowed():
		return "A staging license needs the Enterprise Edition, the Data Center Edition or support. Request an upgrade."
	}
	return ""
}

func (a asking) wanted(hint string) web.Field {
	f := web.Field{Name: "wantedLoc", Label: "Lines of code to license", Type: "select", Value: a.form.WantedLoc,
		Hint: hint, Required: true}
	all := slices.Clone(a.catalog.LOCThresholds)
	if !slices.Contains(all, a.license.MaxLoc) {
		all = append(all, a.license.MaxLoc)
		slices.Sort(all)
	}
	for _, n := range all {
		o := web.Option{Value: strconv.FormatInt(n, 10), Label: license.Lines(n)}
		if n == a.license.MaxLoc {
			o.Label += " (as today)"
		}
		f.Options = append(f.Options, o)
	}
	return f
}

func (a asking) edition() web.Field {
	f := web.Field{Name: "edition", Label: "Edition", Type: "radio", Value: a.form.Edition, Class: "wide",
		Required: true}
	for _, e := range license.Editions[slices.Index(license.Editions, a.license.Edition):] {
		o := web.Option{Value: string(e), Label: e.Name()}
		if e == a.license.Edition {
			o.Hint = "As today"
		}
		f.Options = append(f.Options, o)
	}
	return f
}

func (a asking) counted() web.Field {
	return web.Field{Name: "ncloc", Label: "Lines of code today", Value: a.form.Loc, Optional: true,
		InputMode: "numeric", Hint: "Total analysed by the server, for example 120000."}
}

func (a asking) server(label string) web.Field {
	return web.Field{Name: "serverId", Label: label, Value: a.form.Server, Required: true, Class: "wide code",
		Hint: "In " + a.product + ", under Administration > System. Copy all 14 to 29 characters."}
}

func (a asking) oldServer() web.Field {
	return web.Field{Name: "oldServer", Label: "What happened to the old server?", Type: "radio",
		Value: a.form.OldServer, Required: true, Options: []web.Option{
			{Value: string(request.OldStopped), Label: "It is switched off"},
			{Value: string(request.OldRunning), Label: "It is still running"},
			{Value: string(request.OldLost), Label: "It no longer exists"},
		}}
}

func (a asking) message() web.Field {
	return web.Field{Name: "message", Label: "Message", Value: a.form.Message, Optional: true, Type: "textarea",
		Rows: 3, Class: "wide"}
}

// askView is the data of ask.html.
type askView struct {
	Title, Lead, Path string
	Refused           string // why it cannot be asked for
	Instance          customer.Instance
	License           customer.License
	Fields            []web.Field
	web.Marked
	Key  string            // the form's own idempotency key
	Open []request.Request // about the same installation
}

// held reads the installation that the address of a request names, and its current license.
func (s *site) held(r *http.Request) (i customer.Instance, l customer.License, err error) {
	if i, err = instance(r); err != nil {
		return i, l, err
	}
	l, ok := i.Current(s.today())
	if !ok {
		return i, l, fault.New(fault.Conflict, "We have no license on record for this installation. Write to us at %s.",
			s.mail.Sales.Email)
	}
	return i, l, nil
}

// filled is the form of an ask with what we know, before anything was typed. want says what the person came for:
// "edition" or "lines".
func filled(a ask, i customer.Instance, l customer.License, want string, c *catalog.Catalog) request.HeldForm {
	f := request.HeldForm{Kind: a.kind, Edition: string(l.Edition), WantedLoc: strconv.FormatInt(l.MaxLoc, 10)}
	if i.Loc > 0 {
		f.Loc = strconv.FormatInt(i.Loc, 10)
	}
	next, more := c.LOCThreshold(max(l.MaxLoc+1, i.Loc))
	size := slices.Index(license.Editions, l.Edition)
	switch {
	case a.kind == request.Renewal && i.Loc > l.MaxLoc && more, a.kind == request.Upgrade && want != "edition" && more:
		f.WantedLoc = strconv.FormatInt(next, 10)
	case a.kind == request.Upgrade && size+1 < len(license.Editions):
		f.Edition = string(license.Editions[size+1])
	}
	return f
}

// askForm shows the form of an ask, filled in.
func (s *site) askForm(a ask) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		i, l, err := s.held(r)
		if err != nil {
			return err
		}
		c, err := s.catalog()
		if err != nil {
			return err
		}
		f := filled(a, i, l, r.URL.Query().Get("want"), c)
		if f.Plans = a.path == planPath; f.Plans {
			f.Change, f.Planned = r.URL.Query().Get("change"), r.URL.Query().Get("planned")
		}
		return s.renderAsk(w, r, http.StatusOK, a, asking{i, l, f, s.product, c}, token.Form.New(), nil)
	}
}

// submitAsk files what was asked for, and leads to its page.
func (s *site) submitAsk(a ask) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		values, err := web.ReadForm(r)
		if err != nil {
			return err
		}
		i, l, err := s.held(r)
		if err != nil {
			return err
		}
		if why := a.refused(i, l); why != "" {
			return fault.New(fault.Conflict, "%s", why)
		}
		f := readHeld(a.kind, values)
		f.Plans = a.path == planPath
		key := values.Get("idempotencyKey")
		d, err := f.Accept(s.heldBy(r, i, l))
		if invalid, ok := errors.AsType[*fault.Error](err); ok {
			c, err := s.catalog()
			if err != nil {
				return err
			}
			of := asking{i, l, f, s.product, c}
			return s.renderAsk(w, r, http.StatusUnprocessableEntity, a, of, key, invalid.Fields)
		}
		filed, err := s.file(r, d, i, l, key)
		if err != nil {
			return err
		}
		http.Redirect(w, r, requestPath(filed), http.StatusSeeOther)
		return nil
	}
}

func readHeld(kind request.Kind, values url.Values) request.HeldForm {
	return request.HeldForm{Kind: kind, Edition: values.Get("edition"), Server: values.Get("serverId"),
		OldServer: values.Get("oldServer"), Loc: values.Get("ncloc"), WantedLoc: values.Get("wantedLoc"),
		Message: values.Get("message"), Change: values.Get("change"), Planned: values.Get("planned")}
}

// heldBy is what the person asks about, and who that is.
func (s *site) heldBy(r *http.Request, i customer.Instance, l customer.License) request.Held {
	of := seen(r)
	return request.Held{
		License: l.ID, Edition: l.Edition, Server: i.Server(), MaxLoc: l.MaxLoc, Environment: i.Environment,
		ProductVersion: i.ProductVersion, Name: of.Contact.Name, Email: person(r), Company: of.Customer.Name,
		Today: s.today(),
	}
}

// filing is a request about an installation of the person who is signed in, as it is filed. key is the form's own: the
// same again is the same request.
func (s *site) filing(r *http.Request, d request.Details, i customer.Instance, l customer.License,
	key string) store.Filing {
	if len(key) > request.MaxKey {
		key = ""
	}
	f := store.Filing{
		Details: d, Customer: i.Customer, Instance: i.ID,
		Link: signInLink(r, l.ID),
	}
	if d.Kind == request.Staging {
		f.Instance = "" // of the new one
	}
	if key != "" {
		f.Key = "account\x00" + person(r) + "\x00" + key
	}
	return f
}

// file files such a request.
func (s *site) file(r *http.Request, d request.Details, i customer.Instance, l customer.License, key string) (
	request.Request, error) {
	filed, created, err := s.store.FileRequest(r.Context(), s.filing(r, d, i, l, key))
	if err == nil && created {
		s.log.InfoContext(r.Context(), "license request filed", "id", filed.ID, "kind", string(filed.Kind),
			"edition", string(filed.Edition), "channel", "account")
	}
	return filed, err
}

// signInLink is the link that signed the person in, as the proof of a request about a license.
func signInLink(r *http.Request, license string) *request.Link {
	v := signin.VisitOf(r.Context())
	return &request.Link{Mail: v.Mail, Contact: v.Email, License: license, SignedIn: true}
}

func (s *site) renderAsk(w http.ResponseWriter, r *http.Request, status int, a ask, of asking, key string,
	bad []fault.Field) error {
	list, err := s.requests(r)
	if err != nil {
		return err
	}
	v := askView{Title: a.title, Lead: a.lead, Path: a.path, Refused: a.refused(of.instance, of.license),
		Instance: of.instance, License: of.license, Fields: a.fields(of), Key: key}
	for _, one := range list {
		if one.State.Open() && one.Kind == a.kind && one.Instance == of.instance.ID {
			v.Open = append(v.Open, one)
		}
	}
	var fields []*web.Field
	for i := range v.Fields {
		fields = append(fields, &v.Fields[i])
	}
	v.Marked = web.Mark(bad, fields...)
	title := a.title
	if len(bad) > 0 {
		title = "Error: " + title
	}
	return s.render(w, r, status, "ask.html", web.View{Title: title, Section: inOverview, Data: v})
}
