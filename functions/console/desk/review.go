package desk

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"marketplace/shared/fault"
	"marketplace/shared/mail"
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
	mail     func(mail.Site, string, request.Request) mail.Message
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
		prompt: &prompt{"question", "Your question", "The customer reads it as you type it."}, mail: mail.NewRequestQuestion,
		done: "The question goes to the customer, and the request waits for the answer.",
	}
	reject = step{
		path: "reject", label: "Reject", hint: "Goes to the customer by mail, and closes the request.",
		from: []request.State{request.Received, request.InReview, request.Waiting}, to: request.Rejected, action: store.RequestRejected,
		prompt: &prompt{"rejection", "The reason of the rejection", "The customer reads it as you type it."}, mail: mail.NewRequestRejected,
		done: "The request is rejected, and the customer is told.",
	}
	withdraw = step{
		path: "withdraw", label: "Withdraw", hint: "The customer does not want it any more. A mail confirms it, and the request is closed.",
		from: []request.State{request.Received, request.InReview, request.Waiting}, to: request.Withdrawn, action: store.RequestWithdrawn,
		prompt: &prompt{"withdrawal", "The reason of the withdrawal", "The customer reads it as you type it."}, mail: mail.NewRequestWithdrawn,
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
func (s step) refused(r request.Request, who string) error {
	switch {
	case s.from != nil && !slices.Contains(s.from, r.State):
		return fault.New(fault.Conflict, "The request is %s, so this is not possible: %s.", strings.ToLower(stateBadge(r.State).Text), strings.ToLower(s.label))
	case s.takeOver && r.Reviewer == who:
		return fault.New(fault.Conflict, "You work on this request already.")
	}
	return nil
}

// view is the form of the step for a request.
func (s step) view(r request.Request, typed, wrong string) stepView {
	v := stepView{Path: s.path, Label: s.label, Hint: s.hint, Open: typed != "" || wrong != ""}
	if s.takeOver {
		v.Label += " from " + r.Reviewer
	}
	if s.prompt != nil {
		f := s.prompt.field(typed, wrong)
		v.Field = &f
	}
	return v
}

// review is the handler of a step that leads a request into another state.
func (d *desk) review(s step) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		return d.takeStep(w, r, s, func(b basis, id, typed string) error {
			v := store.Review{ID: id, Version: b.Version, By: by(r), To: s.to, Text: typed}
			_, err := d.store.Review(r.Context(), v, func(after request.Request) []mail.Message {
				if s.mail == nil {
					return nil
				}
				return []mail.Message{s.mail(d.mail, fmt.Sprintf("%s-%s-%d", id, s.path, b.Version), after)}
			})
			return err
		})
	}
}

// note adds a note to a request.
func (d *desk) note(w http.ResponseWriter, r *http.Request) error {
	return d.takeStep(w, r, note, func(_ basis, id, typed string) error {
		return d.store.NoteOnRequest(r.Context(), id, by(r), typed)
	})
}

// takeStep reads the form of a step and does it. Where that fails, the request's page says why, with what was typed: nothing
// of anybody else's is overwritten, and nothing that was typed is lost. A form that comes twice is taken once.
func (d *desk) takeStep(w http.ResponseWriter, r *http.Request, s step, do func(b basis, id, typed string) error) error {
	form, b, err := readForm(r)
	if err != nil {
		return err
	}
	current, err := d.store.Request(r.Context(), idOf(r))
	if err != nil {
		return err
	}
	typed, wrong := "", ""
	if s.prompt != nil {
		if typed, wrong = s.prompt.take(form); wrong != "" {
			return d.stepAgain(w, r, s, http.StatusUnprocessableEntity, typed, wrong, nil)
		}
	}
	// Who sends a form twice is told of the first time. Looking comes before doing, since notes have no version, and after
	// it, since the two may come at once.
	twice, _, err := d.repeated(r, s, b, typed)
	if err == nil && !twice {
		if err = s.refused(current, by(r)); err == nil {
			err = do(b, current.ID, typed)
		}
	}
	if fault.KindOf(err) == fault.Conflict {
		conflict := err
		var events []store.Event
		if twice, events, err = d.repeated(r, s, b, typed); err == nil && !twice {
			return d.stepAgain(w, r, s, http.StatusConflict, typed, "", overtaken(conflict, events, b))
		}
	}
	if err != nil {
		return err
	}
	return toRequest(w, r, current.ID, s.path)
}

func toRequest(w http.ResponseWriter, r *http.Request, id, done string) error {
	http.Redirect(w, r, "/console/requests/"+id+"?done="+done, http.StatusSeeOther)
	return nil
}

// repeated reports whether the last that happened since the form was shown is that the same person did the same. events are
// all that happened.
func (d *desk) repeated(r *http.Request, s step, b basis, typed string) (twice bool, events []store.Event, err error) {
	events, err = d.store.RequestTimeline(r.Context(), idOf(r))
	return repeats(since(events, b.Seen), by(r), s.action, typed), events, err
}

// stepAgain shows the request with what was typed for a step.
func (d *desk) stepAgain(w http.ResponseWriter, r *http.Request, s step, status int, typed, wrong string, t *trouble) error {
	v, err := d.requestView(r)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(v.Steps, func(have stepView) bool { return have.Path == s.path })
	switch {
	case i >= 0:
		v.Steps[i] = s.view(v.Request, typed, wrong)
	case t != nil && typed != "":
		t.Kept, t.KeptAs = typed, s.prompt.label
	}
	v.Trouble = t
	return d.showRequest(w, r, status, v)
}
