package site

import (
	"net/http"
	"slices"

	"marketplace/shared/fault"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/web"
)

// step is an action that an operator can take on a request.
type step struct {
	path     string // of its address, after that of the request
	label    string // on its button
	hint     string
	from     []request.State // states in which it is possible; nil: all
	takeOver bool            // it is for a request that a colleague is reviewing
	to       request.State   // the state after it; "" keeps the state
	action   store.Action    // its event on the timeline
	input    *textInput      // the text that it needs; nil: none
	done     string          // the message when it is done

	// Of a step that emails the text to the customer: the title of its preview, and the button that sends it.
	question, send string
}

// Path, Input, Question and Send are what the page of a preview needs.
func (st step) Path() string     { return st.path }
func (st step) Input() string    { return st.input.name }
func (st step) Question() string { return st.question }
func (st step) Send() string     { return st.send }

// button is the label of the button of the step's form, which may lead to a preview.
func (st step) button() string {
	if st.send != "" {
		return "Preview the email"
	}
	return st.label
}

var (
	startReview = step{
		path: "take", label: "Take into review", hint: "Assigns the request to you.",
		from: []request.State{request.Received}, to: request.InReview, action: store.RequestTaken,
		done: "You are now the reviewer.",
	}
	takeOver = step{
		path: "take-over", label: "Take over",
		hint: "You become the reviewer. Your colleague is not notified; they will see it on this page.",
		from: []request.State{request.InReview}, takeOver: true, to: request.InReview, action: store.RequestTakenOver,
		done: "You are now the reviewer.",
	}
	resumeReview = step{
		path: "resume", label: "Resume review", hint: "Use this when the customer has answered.",
		from: []request.State{request.Waiting}, to: request.InReview, action: store.RequestResumed,
		done: "Review resumed. You are now the reviewer.",
	}
	askCustomer = step{
		path: "ask", label: "Ask the customer a question",
		hint: "We email the question to the customer. The request waits until their answer reaches the sales mailbox.",
		from: []request.State{request.Received, request.InReview}, to: request.Waiting, action: store.CustomerAsked,
		input: &textInput{
			name: "question", label: "Your question", hint: verbatim, missing: "Enter your question.",
		},
		done:     "We will email the question to the customer shortly. The request is waiting for the answer.",
		question: "Send this question?", send: "Send question",
	}
	reject = step{
		path: "reject", label: "Reject", hint: "We email the reason to the customer and close the request.",
		from: undecided, to: request.Rejected, action: store.RequestRejected,
		input: &textInput{
			name: "rejection", label: "Reason for rejection", hint: verbatim,
			missing: "Enter the reason for rejection.",
		},
		done:     "Request rejected. We will email the customer in about a minute.",
		question: "Reject the request and send this email?", send: "Reject and send",
	}
	withdraw = step{
		path: "withdraw", label: "Withdraw",
		hint: "Choose this if the customer no longer wants the license. We confirm by email and close the request.",
		from: undecided, to: request.Withdrawn, action: store.RequestWithdrawn,
		input: &textInput{
			name: "withdrawal", label: "Reason for withdrawal", hint: verbatim,
			missing: "Enter the reason for withdrawal.",
		},
		done:     "Request withdrawn. We will email the customer in about a minute.",
		question: "Withdraw the request and send this email?", send: "Withdraw and send",
	}
	addNote = step{
		path: "note", label: "Add a note", hint: "For colleagues. Customers never see it.", action: store.NoteAdded,
		input: &textInput{name: "note", label: "Note", missing: "Enter the note."},
		done:  "Note added.",
	}
)

// verbatim is the hint of a text that is emailed to the customer.
const verbatim = "The customer sees this exactly as you type it."

// undecided lists the open states: a request in one of them can be rejected or withdrawn.
var undecided = []request.State{request.Received, request.InReview, request.Waiting}

// steps lists all steps in the order of the request's page.
var steps = []step{startReview, takeOver, resumeReview, askCustomer, addNote, reject, withdraw}

// check returns a Conflict fault if the operator cannot take the step on the request.
func (st step) check(r request.Request, who string) error {
	switch {
	case st.from != nil && !slices.Contains(st.from, r.State):
		return fault.New(fault.Conflict, "You can't choose “%s” because the status of this request is “%s”.",
			st.label, stateBadge(r.State).Text)
	case st.takeOver && r.Reviewer == who:
		return fault.New(fault.Conflict, "You are already the reviewer of this request.")
	}
	return nil
}

// view returns the form of the step for a request.
func (st step) view(r requestView, typed, wrong string) stepView {
	v := stepView{Path: st.path, Label: st.label, Button: st.button(), Hint: st.hint, Open: typed != "" || wrong != ""}
	if st.takeOver {
		v.Label += " from " + r.Reviewer
	}
	if st.input != nil {
		f := st.input.field(typed, wrong)
		v.Field = &f
	}
	return v
}

// review returns the handler of a step that changes the state of a request and emails nothing.
func (s *site) review(st step) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		return s.performStep(w, r, st, func(b snapshot, id, _ string) error {
			v := store.Review{ID: id, Version: b.Version, By: operator(r), To: st.to}
			_, err := s.store.Review(r.Context(), v)
			return err
		})
	}
}

// noteHandler adds a note to a request.
func (s *site) noteHandler(w http.ResponseWriter, r *http.Request) error {
	return s.performStep(w, r, addNote, func(_ snapshot, id, typed string) error {
		return s.store.NoteOnRequest(r.Context(), id, operator(r), typed)
	})
}

// performStep reads the form of a step and performs it. If that fails, the request's page says why and keeps the typed
// text, and nobody's change is overwritten. A form that is submitted twice counts once.
func (s *site) performStep(
	w http.ResponseWriter, r *http.Request, st step, do func(b snapshot, id, typed string) error,
) error {
	form, b, err := readForm(r)
	if err != nil {
		return err
	}
	typed, wrong := "", ""
	if st.input != nil {
		if typed, wrong = st.input.read(form); wrong != "" {
			return s.showStepError(w, r, st, typed, wrong, nil)
		}
	}
	return s.perform(w, r, st, b, typed, do)
}

// perform performs a step whose form is right; typed is the note on the timeline.
func (s *site) perform(
	w http.ResponseWriter, r *http.Request, st step, b snapshot, typed string,
	do func(b snapshot, id, typed string) error,
) error {
	current, err := s.store.Request(r.Context(), requestID(r))
	if err != nil {
		return err
	}
	// A repeated form gets the answer of the first. This looks before, since notes have no version, and after, since
	// both may arrive at the same time.
	twice, err := s.repeated(r, st, b, typed)
	if err == nil && !twice {
		if err = st.check(current, operator(r)); err == nil {
			err = do(b, current.ID, typed)
		}
	}
	if fault.KindOf(err) == fault.Conflict {
		conflict := err
		if twice, err = s.repeated(r, st, b, typed); err == nil && !twice {
			return s.showStepError(w, r, st, typed, "", func(timeline []eventView) *formError {
				return conflictError(conflict, timeline, b)
			})
		}
	}
	if err != nil {
		return err
	}
	return redirectToRequest(w, r, current.ID, st.path)
}

func redirectToRequest(w http.ResponseWriter, r *http.Request, id, done string) error {
	http.Redirect(w, r, originOf(r).donePage("/console/requests/"+id, done), http.StatusSeeOther)
	return nil
}

// repeated reports whether the last event since the form was shown is the same step by the same person.
func (s *site) repeated(r *http.Request, st step, b snapshot, typed string) (bool, error) {
	events, err := s.store.RequestTimeline(r.Context(), requestID(r))
	return isRepeat(since(events, b.LastEvent), operator(r), st.action, typed), err
}

// showStepError shows the request with the text that was typed for a step: what is wrong with it, or else the conflict
// that the timeline explains.
func (s *site) showStepError(
	w http.ResponseWriter, r *http.Request, st step, typed, wrong string, conflict func([]eventView) *formError,
) error {
	v, err := s.requestView(r, "")
	if err != nil {
		return err
	}
	status := http.StatusUnprocessableEntity
	var t *formError
	if conflict != nil {
		status, t = http.StatusConflict, conflict(v.Timeline)
	}
	i := slices.IndexFunc(v.Steps, func(have stepView) bool { return have.Path == st.path })
	switch {
	case i >= 0:
		templates := v.Steps[i].Templates
		v.Steps[i] = st.view(v, typed, wrong)
		v.Steps[i].Templates = templates
	case t != nil && typed != "" && st.input != nil:
		t.Typed, t.TypedInto = typed, st.input.label
	}
	v.Error = t
	return s.showRequest(w, r, status, v)
}
