package site

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/web"
)

// bridgeView is the data of bridge.html: what became of a request for a bridge key, or the form for one.
type bridgeView struct {
	Name     string // of the installation
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
	Error   string
}

// bridge shows the form for a bridge key of an installation, and what became of it.
func (s *site) bridge(w http.ResponseWriter, r *http.Request) error {
	i, err := instance(r)
	if err != nil {
		return err
	}
	v, err := s.bridgeView(r, i, bridgeForm{})
	if err != nil {
		return err
	}
	return s.showBridge(w, r, http.StatusOK, v)
}

func (s *site) showBridge(w http.ResponseWriter, r *http.Request, status int, v bridgeView) error {
	title := "Bridge key"
	if status != http.StatusOK {
		title = "Not sent: bridge key"
	}
	return s.render(w, r, status, "bridge.html", web.View{Title: title, Section: inOverview, Data: v})
}

// bridgeForm is the form as it was typed.
type bridgeForm struct {
	server, old string
	wrong       map[string]string // by field
}

// maxBridgeRequests is among how many of the customer's newest requests those about a bridge key are looked for.
const maxBridgeRequests = 50

func (s *site) bridgeView(r *http.Request, i customer.Instance, form bridgeForm) (bridgeView, error) {
	name := string(i.Environment)
	v := bridgeView{
		Name: name, Path: "/account/instances/" + i.ID + "/bridge", Instance: i, Email: person(r),
		Days: license.BridgeDays, Every: customer.BridgeEvery,
	}
	if b, ok := i.Bridge(s.today()); ok {
		v.Key = &b
	}
	if err := s.bridgeRequests(r, i, &v); err != nil {
		return v, err
	}
	terms, err := s.bridgeFor(r, i, draftServer, request.OldStopped)
	if no, ok := errors.AsType[*customer.NoBridge](err); ok {
		v.Why = no.Sentence
	} else if err != nil {
		return v, err
	}
	v.Ends = terms.Expiration
	v.Fields = []web.Field{
		{
			Name: "serverId", Label: "New server ID", Value: form.server, Required: true,
			Error: form.wrong["serverId"],
			Hint:  "As the server shows it now, under Administration > System.",
		},
		{
			Name: "oldServer", Label: "What happened to the old server?", Type: "radio", Value: form.old,
			Required: true, Error: form.wrong["oldServer"],
			Options: []web.Option{
				{Value: string(request.OldStopped), Label: "Switched off"},
				{Value: string(request.OldLost), Label: "It no longer exists"},
				{Value: string(request.OldRunning), Label: "It is still running"},
			},
		},
	}
	return v, nil
}

// draftServer is a server ID that nothing on record has, for asking whether an installation could have a bridge key.
const draftServer license.Server = "00000000-00000000000000000000"

// bridgeFor judges whether the person would get a bridge key for a server. What other customers have on record, the
// account does not know: that is judged when the key is issued.
func (s *site) bridgeFor(r *http.Request, i customer.Instance, server license.Server, old request.OldServer) (
	customer.BridgeTerms, error) {
	of := s.replacement(r, i, server, old)
	filed := request.Request{
		State: request.Received, Details: of.Details, Link: of.Link, Confirmed: s.now(), Customer: of.Customer,
		Instance: of.Instance,
	}
	return seen(r).BridgeFor(customer.BridgeAsked{Request: filed}, s.now())
}

// replacement is the request for the replacement that a bridge key comes ahead of.
func (s *site) replacement(r *http.Request, i customer.Instance, server license.Server,
	old request.OldServer) store.Filing {
	of, email := seen(r), person(r)
	current, _ := i.Current(s.today())
	return store.Filing{
		Details: request.Details{
			Kind: request.Replacement, Edition: current.Edition, Server: server, Loc: i.Loc,
			ProductVersion: i.ProductVersion, Name: of.Contact.Name, Email: email, Company: of.Customer.Name,
			Replaces: string(current.Server), Environment: i.Environment, OldServer: old,
		},
		Key:      "bridge of " + i.ID + " on " + s.today().String(),
		Link:     signInLink(r, current.ID),
		Customer: of.Customer.ID, Instance: i.ID,
	}
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
		case q.Kind == request.Replacement && q.Known(s.now()).State.Open():
			asked := customer.BridgeAsked{Request: q}
			if _, err := seen(r).BridgeFor(asked, s.now()); err == nil {
				v.Open = append(v.Open, q)
			}
		}
	}
	return nil
}

// requestsAbout reads the newest requests for bridge keys and replacements of an installation, the newest first.
func (s *site) requestsAbout(r *http.Request, i customer.Instance) (list []request.Request, err error) {
	ctx, customers := r.Context(), []string{seen(r).Customer.ID}
	if i.Customer != customers[0] {
		customers = append(customers, i.Customer)
	}
	summaries, _, err := s.store.RequestsOf(ctx, customers, maxBridgeRequests)
	if err != nil {
		return nil, err
	}
	for _, q := range summaries {
		if q.Kind != request.Bridge && q.Kind != request.Replacement {
			continue
		}
		full, err := s.store.Request(ctx, q.ID)
		switch {
		case fault.KindOf(err) == fault.NotFound:
		case err != nil:
			return nil, err
		case full.Instance == i.ID:
			list = append(list, full)
		}
	}
	return list, nil
}

// requestBridge files the request for the bridge key, and ahead of it the one for the replacement unless that is there.
func (s *site) requestBridge(w http.ResponseWriter, r *http.Request) error {
	i, err := instance(r)
	if err != nil {
		return err
	}
	typed, err := web.ReadForm(r)
	if err != nil {
		return err
	}
	of, wrong, err := s.bridged(r, i, typed.Get("request"), bridgeForm{
		server: strings.TrimSpace(typed.Get("serverId")), old: typed.Get("oldServer"),
	})
	if err != nil {
		return err
	}
	if wrong != nil {
		return s.showBridge(w, r, http.StatusUnprocessableEntity, *wrong)
	}
	if _, _, err := s.store.FileBridge(r.Context(), of, ""); err != nil {
		return err
	}
	http.Redirect(w, r, "/account/instances/"+i.ID+"/bridge", http.StatusSeeOther)
	return nil
}

// bridged returns the request for the replacement that a bridge key is asked for: one that is open, by its ID, or a new
// one as the form says. wrong is the page with what is wrong about it.
func (s *site) bridged(r *http.Request, i customer.Instance, id string, form bridgeForm) (
	of request.Request, wrong *bridgeView, err error) {
	refuse := func(sentence string) (request.Request, *bridgeView, error) {
		v, err := s.bridgeView(r, i, form)
		v.Error = sentence
		return of, &v, err
	}
	list, err := s.requestsAbout(r, i)
	if err != nil {
		return of, nil, err
	}
	if id != "" {
		at := slices.IndexFunc(list, func(q request.Request) bool { return q.ID == id })
		if at < 0 || list[at].Kind != request.Replacement {
			return of, nil, fault.New(fault.NotFound, "There is no such request about this installation.")
		}
		_, err = seen(r).BridgeFor(customer.BridgeAsked{Request: list[at]}, s.now())
		if no, ok := errors.AsType[*customer.NoBridge](err); ok {
			return refuse(no.Sentence)
		}
		return list[at], nil, err
	}
	var bad fault.Fields
	server, err := license.ParseServer(form.server)
	bad.Refuse("serverId", err)
	old := request.OldServer(form.old)
	if old != request.OldStopped && old != request.OldLost && old != request.OldRunning {
		bad.Add("oldServer", "Choose what happened to the old server.")
	}
	form.wrong = map[string]string{}
	if len(bad) == 0 {
		_, err = s.bridgeFor(r, i, server, old)
		no, ok := errors.AsType[*customer.NoBridge](err)
		switch {
		case ok && no.Code == customer.BridgeRunning:
			bad.Add("oldServer", "%s", no.Sentence)
		case ok && no.AboutServer():
			bad.Add("serverId", "%s", no.Sentence)
		case ok:
			return refuse(no.Sentence)
		case err != nil:
			return of, nil, err
		}
	}
	if len(bad) > 0 {
		for _, f := range bad {
			form.wrong[f.Name] = f.Msg
		}
		return refuse("The request was not sent. Correct the fields and send it again.")
	}
	same := func(q request.Request) bool {
		return q.Kind == request.Replacement && q.State.Open() && q.Server == server &&
			input.SameMailbox(q.Email, person(r))
	}
	if at := slices.IndexFunc(list, same); at >= 0 {
		return list[at], nil, nil
	}
	of, _, err = s.store.FileRequest(r.Context(), s.replacement(r, i, server, old))
	return of, nil, err
}
