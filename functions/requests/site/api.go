package site

import (
	"context"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/reference"
	"marketplace/shared/request"
	"marketplace/shared/store/outbox"
	"marketplace/shared/web"
)

const apiPath = "/api/license-requests"

// publicRequest is what anyone who knows the ID of a request may see.
type publicRequest struct {
	ID             string              `json:"id"`
	Reference      reference.Reference `json:"reference"` // for people
	State          request.State       `json:"state"`
	Kind           request.Kind        `json:"kind"`
	Edition        license.Edition     `json:"edition"`
	Server         license.Server      `json:"serverId"`
	Loc            int64               `json:"ncloc"`
	ProductVersion string              `json:"productVersion"`
	Created        time.Time           `json:"created"`
	Due            time.Time           `json:"due,omitzero"`          // zero while Unconfirmed: nothing is promised
	Unconfirmed    bool                `json:"unconfirmed,omitempty"` // nobody has confirmed the address yet
	Next           string              `json:"next,omitempty"`        // what to do about that
}

// filedRequest is the response to a new request.
type filedRequest struct {
	publicRequest
	StatusURL string `json:"statusUrl,omitempty"` // the private link; a repetition does not get it
	Hint      string `json:"hint,omitempty"`      // about a probably mistyped address
}

// fullRequest is what the holder of the private link sees.
type fullRequest struct {
	publicRequest
	Name        string              `json:"name"`
	Email       string              `json:"email"`
	Company     string              `json:"company"`
	Country     string              `json:"country"`
	Phone       string              `json:"phone"`
	Message     string              `json:"message"`
	Contacts    []string            `json:"contacts"`
	Replaces    string              `json:"replaces"`
	Environment request.Environment `json:"environment"`
	OldServer   request.OldServer   `json:"oldServer"`
	WantedLoc   int64               `json:"wantedLoc,omitempty"`
	Change      request.Change      `json:"change,omitempty"`
	Planned     license.Date        `json:"planned,omitzero"`
	Emails      []publicEmail       `json:"emails"` // ours to the customer, in the order in which they were queued
}

func newPublicRequest(r request.Request) publicRequest {
	p := publicRequest{ID: r.ID, Reference: r.Reference, State: r.State, Kind: r.Kind, Edition: r.Edition,
		Server: r.Server, Loc: r.Loc, ProductVersion: r.ProductVersion, Created: r.Created, Due: r.Due}
	if r.Unconfirmed && r.State.Open() {
		p.Due, p.Unconfirmed = time.Time{}, true
		p.Next = "Open the link in the email to the address of the request, and confirm it there. " +
			"We start once it is confirmed."
	}
	return p
}

// apiCreateRequest files a request sent as JSON. It answers 201, or 200 when the idempotency key was used for the same
// request. Only the first answer has the private link: keys such as 1 are easily guessed.
func (s *site) apiCreateRequest(w http.ResponseWriter, r *http.Request) error {
	body, err := web.ReadJSON(r)
	if err != nil {
		return err
	}
	f, bad, err := decodeForm(body)
	if err != nil {
		return err
	}
	if key := headerKey(r); key != "" {
		if f.IdempotencyKey != "" && f.IdempotencyKey != key {
			bad.Add("idempotencyKey",
				"The Idempotency-Key header differs from idempotencyKey in the body. Send one of them.")
		}
		f.IdempotencyKey = key
	}
	filed, created, err := s.fileRequest(r.Context(), f, bad, byAPI, nil)
	if err != nil {
		return err
	}
	status, link := http.StatusOK, ""
	if created {
		status, link = http.StatusCreated, s.mail.StatusURL(filed)
	}
	w.Header().Set("Location", apiPath+"/"+filed.ID)
	return web.WriteJSON(w, status, filedRequest{newPublicRequest(filed.Known(s.now())), link, emailHint(filed)})
}

// headerKey returns the Idempotency-Key header, with or without the quotes of a structured field.
func headerKey(r *http.Request) string {
	key := strings.TrimSpace(r.Header.Get("Idempotency-Key"))
	if len(key) >= 2 && key[0] == '"' && key[len(key)-1] == '"' {
		key = key[1 : len(key)-1]
	}
	return key
}

// apiGetRequest returns a request: everything with its token, otherwise only what is not personal.
func (s *site) apiGetRequest(w http.ResponseWriter, r *http.Request) error {
	token := r.URL.Query().Get("token")
	if scheme, bearer, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok &&
		strings.EqualFold(scheme, "Bearer") {
		token = strings.TrimSpace(bearer)
	}
	if token == "" {
		found, err := s.store.Request(r.Context(), strings.ToLower(r.PathValue("id")))
		if err != nil {
			return err
		}
		return web.WriteJSON(w, http.StatusOK, newPublicRequest(found.Known(s.now())))
	}
	found, err := s.byToken(r, token)
	if err != nil {
		return err
	}
	emails, err := s.emails(r.Context(), found)
	if err != nil {
		return err
	}
	d := found.Details
	if d.Contacts == nil {
		d.Contacts = []string{}
	}
	w.Header().Set("Referrer-Policy", "strict-origin")
	return web.WriteJSON(w, http.StatusOK, fullRequest{
		newPublicRequest(found), d.Name, d.Email, d.Company, d.Country, d.Phone, d.Message, d.Contacts, d.Replaces,
		d.Environment, d.OldServer, d.WantedLoc, d.Change, d.Planned, publicEmails(emails),
	})
}

// emails returns our emails to the customer about a request and with the keys of its licenses. All reads are made at
// once.
func (s *site) emails(ctx context.Context, r request.Request) (list []emailFate, err error) {
	about := append([]string{r.ID}, r.Licenses...)
	mails := make([][]outbox.Mail, len(about))
	g, ctx := errgroup.WithContext(ctx)
	for i, id := range about {
		g.Go(func() (err error) { mails[i], err = s.store.MailsAbout(ctx, id, maxMails); return err })
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for _, m := range mails {
		list = append(list, s.deliveries(m, r)...)
	}
	return list, nil
}

// decodeForm reads the JSON of a request. All members are strings, but ncloc may be a number and contacts an array of
// strings.
func decodeForm(body string) (f request.Form, bad fault.Fields, err error) {
	bad, err = decodeObject(body, func(m jsonMember) {
		switch target := formMember(&f, m.name); m.name {
		case "ncloc", "wantedLoc":
			m.number(target)
		case "contacts":
			m.list(target)
		default:
			m.text(target)
		}
	})
	return f, bad, err
}

// formMember returns the field of the form for a JSON member, or nil for an unknown member.
func formMember(f *request.Form, name string) *string {
	switch name {
	case "kind":
		return &f.Kind
	case "edition":
		return &f.Edition
	case "serverId":
		return &f.Server
	case "ncloc":
		return &f.Loc
	case "wantedLoc":
		return &f.WantedLoc
	case "productVersion":
		return &f.ProductVersion
	case "name":
		return &f.Name
	case "email":
		return &f.Email
	case "company":
		return &f.Company
	case "country":
		return &f.Country
	case "phone":
		return &f.Phone
	case "message":
		return &f.Message
	case "contacts":
		return &f.Contacts
	case "replaces":
		return &f.Replaces
	case "environment":
		return &f.Environment
	case "oldServer":
		return &f.OldServer
	case "change":
		return &f.Change
	case "planned":
		return &f.Planned
	case "idempotencyKey":
		return &f.IdempotencyKey
	case "timeZone":
		return &f.TimeZone
	}
	return nil
}
