package site

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"marketplace/shared/fault"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/web"
)

// step is something that an operator can do with a request.
type step struct {
	path     string // of its address, behind that of the request
	label    string // on its button
	hint     string
	from     []request.State // in which it can be done; nil: in each
	takeOver bool            // it is done with what a colleague works on
	to       request.State   // into which it leads; "" leaves the state as it is
	action   store.Action    // as which the timeline has it
	prompt   *prompt         // what has to be typed; nil: nothing
	mail     func(letter.Writer, string, request.Request) mail.Message
	done     string // what is told when it is done
}

var (
	take = step{
		path: "take", label: "Take into review", hint: "The others see that you work on it.",
		from: []request.State{request.Received}, to: request.InReview, action: store.RequestTaken,
		done: "You work on this request now.",
	}
	takeOver = step{
		path: "take-over", label: "Take over", hint: "You work on it from then on. Your colleague is told when they go on with their page.",
		from: []request.State{request.InReview}, takeOver: true, to: request.InReview, action: store.RequestTakenOver,
		done: "You work on this request now.",
	}
	resume = step{
		path: "resume", label: "Resume the review", hint: "The customer has answered.",
		from: []request.State{request.Waiting}, to: request.InReview, action: store.RequestResumed,
		done: "The review goes on, and you work on it.",
	}
	ask = step{
		path: "ask", label: "Ask the customer a question", hint: "Goes to the customer by mail. The request waits for the answer, which comes to the sales mailbox.",
		from: []request.State{request.Received, request.InReview}, to: request.Waiting, action: store.CustomerAsked,
		prompt: &prompt{"question", "Your question", "The customer reads it as you type it."}, mail: letter.Writer.RequestQuestion,
		done: "The question goes to the customer, and the request waits for the answer.",
	}
	reject = step{
		path: "reject", label: "Reject", hint: "Goes to the customer by mail, and closes the request.",
		from: []request.State{request.Received, request.InReview, request.Waiting}, to: request.Rejected, action: store.RequestRejected,
		prompt: &prompt{"rejection", "The reason of the rejection", "The customer reads it as you type it."}, mail: letter.Writer.RequestRejected,
		done: "The request is rejected, and the customer is told.",
	}
	withdraw = step{
		path: "withdraw", label: "Withdraw", hint: "The customer does not want it any more. A mail confirms it, and the request is closed.",
		from: []request.State{request.Received, request.InReview, request.Waiting}, to: request.Withdrawn, action: store.RequestWithdrawn,
		prompt: &prompt{"withdrawal", "The reason of the withdrawal", "The customer reads it as you type it."}, mail: letter.Writer.RequestWithdrawn,
		done: "The request is withdrawn, and the customer is told.",
	}
	note = step{
		path: "note", label: "Add a note", hint: "For colleagues: customers never see it.", action: store.NoteAdded,
		prompt: &prompt{"note", "The note", ""}, done: "The note is on the timeline.",
	}
)

// steps are all of them, as the page of a request shows them.
var steps = []step{take, takeOver, resume, ask, note, reject, withdraw}

// refused is a Conflict fault where somebody cannot do the step with a request.
func (st step) refused(r request.Request, who string) error {
	switch {
	case st.from != nil && !slices.Contains(st.from, r.State):
		return fault.New(fault.Conflict, "The request is %s, so this is not possible: %s.", strings.ToLower(stateBadge(r.State).Text), strings.ToLower(st.label))
	case st.takeOver && r.Reviewer == who:
		return fault.New(fault.Conflict, "You work on this request already.")
	}
	return nil
}

// view is the form of the step for a request.
func (st step) view(r request.Request, typed, wrong string) stepView {
	v := stepView{Path: st.path, Label: st.label, Hint: st.hint, Open: typed != "" || wrong != ""}
	if st.takeOver {
		v.Label += " from " + r.Reviewer
	}
	if st.prompt != nil {
		f := st.prompt.field(typed, wrong)
		v.Field = &f
	}
	return v
}

// review is the handler of a step that leads a request into another state.
func (s *site) review(st step) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		return s.takeStep(w, r, st, func(b basis, id, typed string) error {
			v := store.Review{ID: id, Version: b.Version, By: by(r), To: st.to, Text: typed}
			_, err := s.store.Review(r.Context(), v, func(after request.Request) []mail.Message {
				if st.mail == nil {
					return nil
				}
				return []mail.Message{st.mail(s.mail, fmt.Sprintf("%s-%s-%d", id, st.path, b.Version), after)}
			})
			return err
		})
	}
}

// note adds a note to a request.
func (s *site) note(w http.ResponseWriter, r *http.Request) error {
	return s.takeStep(w, r, note, func(_ basis, id, typed string) error {
		return s.store.NoteOnRequest(r.Context(), id, by(r), typed)
	})
}

// takeStep reads the form of a step and does it. Where that fails, the request's page says why, with what was typed: nothing
// of anybody else's is overwritten, and nothing that was typed is lost. A form that comes twice is taken once.
func (s *site) takeStep(w http.ResponseWriter, r *http.Request, st step, do func(b basis, id, typed string) error) error {
	form, b, err := readForm(r)
	if err != nil {
		return err
	}
	current, err := s.store.Request(r.Context(), idOf(r))
	if err != nil {
		return err
	}
	typed, wrong := "", ""
	if st.prompt != nil {
		if typed, wrong = st.prompt.take(form); wrong != "" {
			return s.stepAgain(w, r, st, http.StatusUnprocessableEntity, typed, wrong, nil)
		}
	}
	// Who sends a form twice is told of the first time. Looking comes before doing, since notes have no version, and after
	// it, since the two may come at once.
	twice, _, err := s.repeated(r, st, b, typed)
	if err == nil && !twice {
		if err = st.refused(current, by(r)); err == nil {
			err = do(b, current.ID, typed)
		}
	}
	if fault.KindOf(err) == fault.Conflict {
		conflict := err
		var events []store.Event
		if twice, events, err = s.repeated(r, st, b, typed); err == nil && !twice {
			return s.stepAgain(w, r, st, http.StatusConflict, typed, "", overtaken(conflict, events, b))
		}
	}
	if err != nil {
		return err
	}
	return toRequest(w, r, current.ID, st.path)
}

func toRequest(w http.ResponseWriter, r *http.Request, id, done string) error {
	http.Redirect(w, r, "/console/requests/"+id+"?done="+done, http.StatusSeeOther)
	return nil
}

// repeated reports whether the last that happened since the form was shown is that the same person did the same. events are
// all that happened.
func (s *site) repeated(r *http.Request, st step, b basis, typed string) (twice bool, events []store.Event, err error) {
	events, err = s.store.RequestTimeline(r.Context(), idOf(r))
	return repeats(since(events, b.Seen), by(r), st.action, typed), events, err
}

// stepAgain shows the request with what was typed for a step.
func (s *site) stepAgain(w http.ResponseWriter, r *http.Request, st step, status int, typed, wrong string, t *trouble) error {
	v, err := s.requestView(r)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(v.Steps, func(have stepView) bool { return have.Path == st.path })
	switch {
	case i >= 0:
		v.Steps[i] = st.view(v.Request, typed, wrong)
	case t != nil && typed != "":
		t.Kept, t.KeptAs = typed, st.prompt.label
	}
	v.Trouble = t
	return s.showRequest(w, r, status, v)
}
