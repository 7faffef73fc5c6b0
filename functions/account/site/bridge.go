package site

import (
	"errors"
	"net/http"
	"slices"
	"strconv"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/token"
	"marketplace/shared/web"
)

// A bridge key is asked for with the form of a replacement, whose request it comes ahead of.

// bridgeView is the data of bridge.html: what became of a request for a bridge key, or the form for one.
type bridgeView struct {
	Path     string // of the form
	Instance customer.Instance
	Email    string // where the key goes
	Days     int
	Every    int

	Key     *customer.Bridge  // the one that is valid today
	KeyTo   string            // where it was sent; "" if that is not known
	Waiting *request.Request  // the request whose key is being made
	Refused string            // why the newest request got none
	Why     string            // why there can be none now; "" if there can
	Ends    license.Date      // the last day of a key that is issued today
	Open    []request.Request // open requests for a replacement, for which a key can be issued by one click
	Fields  []web.Field
	web.Marked
	FormKey string // the form's own idempotency key
}

// bridge shows the form for a bridge key of an installation, and what became of it.
func (s *site) bridge(w http.ResponseWriter, r *http.Request) error {
	i, err := instance(r)
	if err != nil {
		return err
	}
	return s.renderBridge(w, r, i, request.HeldForm{}, token.Form.New(), nil)
}

func bridgePath(i customer.Instance) string { return instancePath(i) + "/bridge" }

func (s *site) renderBridge(w http.ResponseWriter, r *http.Request, i customer.Instance, f request.HeldForm,
	key string, bad []fault.Field) error {
	v := bridgeView{
		Path: bridgePath(i), Instance: i, Email: person(r), Days: license.BridgeDays, Every: customer.BridgeEvery,
		FormKey: key,
	}
	if b, ok := i.Bridge(s.today()); ok {
		v.Key = &b
	}
	if err := s.bridgeRequests(r, i, &v); err != nil {
		return err
	}
	could, _ := request.HeldForm{Kind: request.Replacement, Server: draftServer,
		OldServer: string(request.OldStopped)}.Accept(s.heldBy(r, i, s.inForce(i)))
	terms, err := s.bridgeFor(r, i, could)
	if no, ok := errors.AsType[*customer.NoBridge](err); ok {
		v.Why = no.Sentence
	} else if err != nil {
		return err
	}
	v.Ends = terms.Expiration
	of := asking{form: f, product: s.product}
	v.Fields = []web.Field{of.server("New server ID"), of.oldServer()}
	v.Marked = web.Mark(bad, &v.Fields[0], &v.Fields[1])
	title, status := "Bridge key", http.StatusOK
	if len(bad) > 0 {
		title, status = "Error: "+title, http.StatusUnprocessableEntity
	}
	return s.render(w, r, status, "bridge.html", web.View{Title: title, Section: inOverview, Data: v})
}

// draftServer is a server ID that nothing on record has, for asking whether an installation could have a bridge key.
const draftServer = "00000000-00000000000000000000"

// inForce returns the license in force of an installation; the zero License if it has none.
func (s *site) inForce(i customer.Instance) customer.License {
	l, _ := i.Current(s.today())
	return l
}

// bridgeFor judges whether the person would get a bridge key ahead of a replacement. What other customers have on
// record, the account does not know: that is judged when the key is issued.
func (s *site) bridgeFor(r *http.Request, i customer.Instance, d request.Details) (customer.BridgeTerms, error) {
	of := s.filing(r, d, i, s.inForce(i), "")
	filed := request.Request{
		State: request.Received, Details: d, Link: of.Link, Confirmed: s.now(), Customer: of.Customer,
		Instance: of.Instance,
	}
	return seen(r).BridgeFor(customer.BridgeAsked{Request: filed}, s.now())
}

// bridgeRequests adds what was asked for about the installation: the newest request for a bridge key, unless its key is
// there, and the replacements that one can be issued ahead of.
func (s *site) bridgeRequests(r *http.Request, i customer.Instance, v *bridgeView) error {
	list, err := s.requestsAbout(r, i)
	if err != nil {
		return err
	}
	newest := true
	for _, q := range list {
		switch {
		case v.Key != nil && slices.Contains(q.Licenses, v.Key.ID):
			v.KeyTo = q.Email
		case q.Kind == request.Bridge && newest:
			newest = false
			if q.State.Open() {
				v.Waiting = &q
			} else if q.State == request.Rejected && s.today() == license.DateOf(q.Closed) {
				v.Refused = q.Reason
			}
		case q.Kind == request.Replacement && q.State.Open():
			asked := customer.BridgeAsked{Request: q}
			if _, err := seen(r).BridgeFor(asked, s.now()); err == nil {
				v.Open = append(v.Open, q)
			}
		}
	}
	return nil
}

// requestsAbout reads the requests about an installation that the person sees, the newest first.
func (s *site) requestsAbout(r *http.Request, i customer.Instance) ([]request.Request, error) {
	list, err := s.requests(r)
	return slices.DeleteFunc(list, func(q request.Request) bool { return q.Instance != i.ID }), err
}

// requestBridge files the request for the bridge key, and ahead of it the one for the replacement unless that is there.
func (s *site) requestBridge(w http.ResponseWriter, r *http.Request) error {
	i, err := instance(r)
	if err != nil {
		return err
	}
	values, err := web.ReadForm(r)
	if err != nil {
		return err
	}
	list, err := s.requestsAbout(r, i)
	if err != nil {
		return err
	}
	f := request.HeldForm{Kind: request.Replacement, Server: values.Get("serverId"),
		OldServer: values.Get("oldServer")}
	if i.Loc > 0 {
		f.Loc = strconv.FormatInt(i.Loc, 10)
	}
	key := values.Get("idempotencyKey")
	var of request.Request
	var bad []fault.Field
	if id := values.Get("request"); id != "" {
		of, bad, err = s.bridgeAhead(r, list, id)
	} else {
		of, bad, err = s.bridgeByForm(r, i, list, f, key)
	}
	switch {
	case err != nil:
		return err
	case len(bad) > 0:
		return s.renderBridge(w, r, i, f, key, bad)
	}
	if _, _, err := s.store.FileBridge(r.Context(), of, ""); err != nil {
		return err
	}
	http.Redirect(w, r, bridgePath(i), http.StatusSeeOther)
	return nil
}

// bridgeAhead returns the open request for a replacement with an ID, of those about an installation.
func (s *site) bridgeAhead(r *http.Request, list []request.Request, id string) (of request.Request, bad fault.Fields,
	err error) {
	at := slices.IndexFunc(list, func(q request.Request) bool { return q.ID == id && q.Kind == request.Replacement })
	if at < 0 {
		return of, nil, fault.New(fault.NotFound, "There is no such request about this installation.")
	}
	_, err = seen(r).BridgeFor(customer.BridgeAsked{Request: list[at]}, s.now())
	if no, ok := errors.AsType[*customer.NoBridge](err); ok {
		bad.Add("request", "%s", no.Sentence)
		err = nil
	}
	return list[at], bad, err
}

// bridgeByForm returns the request for the replacement that a form asks for: one of those about the installation that
// is open, or a new one. bad is what is wrong with the form.
func (s *site) bridgeByForm(r *http.Request, i customer.Instance, list []request.Request, f request.HeldForm,
	key string) (of request.Request, bad fault.Fields, err error) {
	d, err := f.Accept(s.heldBy(r, i, s.inForce(i)))
	if invalid, ok := errors.AsType[*fault.Error](err); ok {
		return of, invalid.Fields, nil
	}
	_, err = s.bridgeFor(r, i, d)
	if no, ok := errors.AsType[*customer.NoBridge](err); ok {
		field := ""
		switch {
		case no.Code == customer.BridgeRunning:
			field = "oldServer"
		case no.AboutServer():
			field = "serverId"
		}
		bad.Add(field, "%s", no.Sentence)
		return of, bad, nil
	}
	if err != nil {
		return of, nil, err
	}
	same := func(q request.Request) bool {
		return q.Kind == request.Replacement && q.State.Open() && q.Server == d.Server &&
			input.SameMailbox(q.Email, person(r))
	}
	if at := slices.IndexFunc(list, same); at >= 0 {
		return list[at], nil, nil
	}
	of, err = s.file(r, d, i, s.inForce(i), key)
	return of, nil, err
}
