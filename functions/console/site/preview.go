package site

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"

	"marketplace/shared/fault"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/web"
)

// A question, a rejection and a withdrawal are shown as the customer will get them before they are sent. The page has a
// digest of what it shows, and only that is sent: whatever changed meanwhile is shown anew.

// previewView is the page of a reply before it is sent.
type previewView struct {
	Request  request.Request
	Step     step
	From     string // as requestView.From
	Snapshot snapshot
	Typed    string
	Digest   string // of all that the page shows
	Letter   mail.Message
	// Unconfirmed: the email repeats nothing that was typed with the request.
	Unconfirmed bool
	Suppressed  bool // the address accepts no email, so the email will not be sent
	Unsendable  bool // nor to this address, which is none that email can be sent to; there is no Letter then
	Error       *formError
}

// Undoable reports whether the step can be undone after it was sent.
func (v previewView) Undoable() bool { return !v.Step.to.Open() }

// reply returns the handler of a step that emails a text to the customer. Its form first leads to the preview, whose
// form sends the reply or leads back.
func (s *site) reply(st step) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		form, b, err := readForm(r)
		if err != nil {
			return err
		}
		switch form.Get("do") {
		case "edit":
			return s.editReply(w, r, st, form)
		case "use":
			return s.useTemplate(w, r, st, form)
		}
		typed, wrong := st.input.read(form)
		if wrong != "" {
			return s.showStepError(w, r, st, typed, wrong, nil)
		}
		current, err := s.store.Request(r.Context(), requestID(r))
		if err != nil {
			return err
		}
		if digest := form.Get("digest"); digest != "" {
			return s.sendReply(w, r, st, reviewed{current, b, typed, digest})
		}
		switch twice, err := s.repeated(r, st, b, typed); {
		case err != nil:
			return err
		case twice: // it was sent from another tab, or the browser went back
			return redirectToRequest(w, r, current.ID, st.path)
		}
		err = st.check(current, operator(r))
		if err == nil && current.Version != b.Version {
			err = fault.New(fault.Conflict, "Someone else changed this request first.")
		}
		if err != nil {
			return s.replyError(w, r, st, b, typed, err)
		}
		v, err := s.previewView(r, st, current, b, typed)
		if err != nil {
			return err
		}
		return s.showPreview(w, r, http.StatusOK, v)
	}
}

// editReply shows the request's page with the typed text, and changes nothing.
func (s *site) editReply(w http.ResponseWriter, r *http.Request, st step, form url.Values) error {
	v, err := s.requestView(r, "")
	if err != nil {
		return err
	}
	for i := range v.Steps {
		if v.Steps[i].Path == st.path {
			v.fill(i, st, form.Get(st.input.name))
		}
	}
	return s.showRequest(w, r, http.StatusOK, v)
}

// replyError shows why a reply is not possible, on the request's page with the typed text.
func (s *site) replyError(w http.ResponseWriter, r *http.Request, st step, b snapshot, typed string, err error) error {
	if fault.KindOf(err) != fault.Conflict {
		return err
	}
	return s.showStepError(w, r, st, typed, "", func(timeline []eventView) *formError {
		return conflictError(err, timeline, b)
	})
}

// reviewed is a reply that an operator read in the preview and sends.
type reviewed struct {
	request request.Request // as it is now
	seen    snapshot
	typed   string
	digest  string
}

// sendReply sends a reply as it was shown, or shows what it is now. A form that is submitted twice counts once.
func (s *site) sendReply(w http.ResponseWriter, r *http.Request, st step, sent reviewed) error {
	for {
		twice, err := s.repeated(r, st, sent.seen, sent.typed)
		switch {
		case err != nil:
			return err
		case twice:
			return redirectToRequest(w, r, sent.request.ID, st.path)
		}
		if err := st.check(sent.request, operator(r)); err != nil {
			return s.replyError(w, r, st, sent.seen, sent.typed, err)
		}
		v, err := s.previewView(r, st, sent.request, sent.seen, sent.typed)
		if err != nil {
			return err
		}
		if v.Digest != sent.digest {
			return s.previewAgain(w, r, v)
		}
		_, err = s.store.Review(r.Context(), store.Review{
			ID: sent.request.ID, Version: sent.request.Version, By: operator(r), To: st.to, Text: sent.typed,
		})
		if err == nil {
			return redirectToRequest(w, r, sent.request.ID, st.path)
		}
		if fault.KindOf(err) != fault.Conflict {
			return err
		}
		if sent.request, err = s.store.Request(r.Context(), sent.request.ID); err != nil {
			return err
		}
	}
}

// previewAgain shows a reply that changed since it was previewed, with what happened.
func (s *site) previewAgain(w http.ResponseWriter, r *http.Request, v previewView) error {
	events, err := s.store.RequestTimeline(r.Context(), v.Request.ID)
	if err != nil {
		return err
	}
	words, err := s.vocabulary(r, events)
	if err != nil {
		return err
	}
	v.Error = conflictError(fault.New(fault.Conflict, ""), timelineView(events, words), v.Snapshot)
	v.Error.Title = "Something changed since your preview"
	v.Error.Text = "Nothing was sent. Check the email below again, then send it."
	v.Snapshot = snapshot{v.Request.Version, lastOf(events)}
	return s.showPreview(w, r, http.StatusConflict, v)
}

func (s *site) showPreview(w http.ResponseWriter, r *http.Request, status int, v previewView) error {
	title := "Preview: " + v.Letter.Subject
	if status != http.StatusOK {
		title = "Not sent: " + v.Letter.Subject
	}
	web.AllowEmbedded(w.Header(), v.Letter.HTML)
	return s.render(w, r, status, "preview.html", inQueue, title, v)
}

// previewView writes the email of a reply as the mailer will, without the secret of its private link.
func (s *site) previewView(r *http.Request, st step, of request.Request, b snapshot, typed string) (
	previewView, error) {
	after, n, err := s.store.Reviewed(of, store.Review{
		ID: of.ID, Version: of.Version, By: operator(r), To: st.to, Text: typed,
	})
	if err != nil {
		return previewView{}, err
	}
	records := notice.Records{Request: after, Today: s.today(), Policy: s.store.Policy()}
	m, err := s.mail.With(s.catalog)(n, records, letter.Call{Attempt: 1})
	_, unsendable := mail.Address{Email: of.Email}.Mailbox()
	if unsendable != nil {
		m = mail.Message{Kind: n.Kind, To: mail.Address{Email: of.Email}}
	} else if err != nil {
		return previewView{}, err
	}
	why, err := s.store.Suppressed(r.Context(), m.To.Email)
	if err != nil {
		return previewView{}, err
	}
	return previewView{
		Request: of, Step: st, From: originOf(r).suffix(), Snapshot: b, Typed: typed,
		Digest: digestOf(of, st, typed, m), Letter: m.WithoutSecrets(), Unconfirmed: !of.AddressConfirmed(),
		Suppressed: why != nil && why.Stops(m.Kind), Unsendable: unsendable != nil,
	}, nil
}

// digestOf returns the hash of what a preview shows, and of the request that it is about.
func digestOf(of request.Request, st step, typed string, m mail.Message) string {
	data, err := json.Marshal(struct {
		Request string
		Version int64
		Step    string
		Typed   string
		Letter  mail.Message
	}{of.ID, of.Version, st.path, typed, m})
	if err != nil {
		panic("console: encoding a preview: " + err.Error())
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
