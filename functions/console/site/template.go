package site

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/web"
)

// Admins write templates of replies. On the page of a request, one fills the text of a step, which stays editable.

const templatesPath = settingsPath + "/replies"

// maxTemplateName is the longest name of a template, in characters.
const maxTemplateName = 80

// Replies keeps the templates; *reply.Store implements it and documents the methods.
type Replies interface {
	Replies(context.Context) ([]request.Reply, error)
	Reply(ctx context.Context, id string) (request.Reply, error)
	SaveReply(ctx context.Context, r request.Reply, by string) error
	DeleteReply(ctx context.Context, r request.Reply, by string) error
}

// templateRow is a template in the list.
type templateRow struct {
	request.Reply
	Step, By string // the label of its step, and the name of who changed it last
}

type templatesView struct {
	Rows         []templateRow
	Placeholders []request.Placeholder
	Done         string
}

// templateForm is the form of a template.
type templateForm struct {
	ID, Version     string
	New             bool
	Name, For, Text web.Field
	web.Marked
	Placeholders []request.Placeholder
	Conflict     string // why nothing was saved; "" for none
	By           string // who changed it last
	Reply        request.Reply
}

// stepOf returns the step that a template is for.
func stepOf(r request.Reply) step {
	i := slices.IndexFunc(steps, func(st step) bool { return st.input != nil && st.to == r.For })
	if i < 0 {
		return step{label: string(r.For)}
	}
	return steps[i]
}

func (s *site) templates(w http.ResponseWriter, r *http.Request) error {
	list, err := s.replies.Replies(r.Context())
	if err != nil {
		return err
	}
	v := templatesView{Placeholders: request.Placeholders, Done: map[string]string{
		"saved": "Template saved.", "deleted": "Template deleted.",
	}[r.URL.Query().Get("done")]}
	for _, one := range list {
		v.Rows = append(v.Rows, templateRow{one, stepOf(one).label, colleaguesOf(r).name(one.ChangedBy)})
	}
	return s.render(w, r, http.StatusOK, "templates.html", inSettings, "Reply templates", v)
}

// newTemplate shows an empty form. It has the ID of the template, so that sending it twice adds one.
func (s *site) newTemplate(w http.ResponseWriter, r *http.Request) error {
	return s.showTemplate(w, r, http.StatusOK, newTemplateForm(request.Reply{ID: store.NewID(s.now())}))
}

func newTemplateForm(t request.Reply) *templateForm {
	f := &templateForm{
		ID: t.ID, Version: strconv.FormatInt(t.Version, 10), New: t.Version == 0, Reply: t,
		Placeholders: request.Placeholders,
		Name: web.Field{Name: "name", Label: "Name", Value: t.Name, Required: true,
			Hint: "Colleagues choose the template by it."},
		For: web.Field{Name: "for", Label: "For", Type: "select", Value: string(t.For), Required: true},
		Text: web.Field{Name: "text", Label: "Text", Type: "textarea", Rows: 10, Value: t.Text, Required: true,
			Hint: "Colleagues can edit it before they send it."},
	}
	for _, state := range request.ReplyStates {
		f.For.Options = append(f.For.Options, web.Option{
			Value: string(state), Label: stepOf(request.Reply{For: state}).label,
		})
	}
	return f
}

func (s *site) showTemplate(w http.ResponseWriter, r *http.Request, status int, f *templateForm) error {
	title := "Edit reply template"
	if f.New {
		title = "New reply template"
	}
	if f.Reply.ChangedBy != "" {
		f.By = colleaguesOf(r).name(f.Reply.ChangedBy)
	}
	if status != http.StatusOK {
		title = "Not saved: " + title
	}
	return s.render(w, r, status, "template.html", inSettings, title, f)
}

func (s *site) editTemplate(w http.ResponseWriter, r *http.Request) error {
	t, err := s.replies.Reply(r.Context(), r.PathValue("reply"))
	if err != nil {
		return err
	}
	return s.showTemplate(w, r, http.StatusOK, newTemplateForm(t))
}

// readTemplate reads the form of a template, with all that is wrong with it.
func readTemplate(form url.Values) (t request.Reply, bad fault.Fields, err error) {
	t = request.Reply{ID: form.Get("id"), For: request.State(form.Get("for"))}
	t.Version, err = strconv.ParseInt(form.Get("version"), 10, 64)
	if err != nil || t.Version < 0 || !license.ValidID(t.ID) {
		return t, nil, fault.Wrap(fault.Invalid, err, "The form is incomplete. Reload the page and try again.")
	}
	if t.Name, err = input.Line("name", "Name", form.Get("name"), maxTemplateName); err != nil {
		bad.Add("name", "%s", fault.Sentence(err))
	} else if t.Name == "" {
		bad.Add("name", "Enter a name.")
	}
	if !slices.Contains(request.ReplyStates, t.For) {
		bad.Add("for", "Choose what the template is for.")
	}
	if t.Text, err = input.Block("message", "Text", form.Get("text"), maxText); err == nil {
		err = request.CheckReply(t.Text)
	}
	switch {
	case err != nil:
		bad.Add("text", "%s", fault.Sentence(err))
	case t.Text == "":
		bad.Add("text", "Enter the text.")
	}
	return t, bad, nil
}

// saveTemplate saves a new template, or a changed one.
func (s *site) saveTemplate(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ReadForm(r)
	if err != nil {
		return err
	}
	if id := r.PathValue("reply"); id != "" {
		form.Set("id", id)
	}
	t, bad, err := readTemplate(form)
	if err != nil {
		return err
	}
	if len(bad) > 0 {
		typed := t
		typed.Name, typed.Text = form.Get("name"), form.Get("text")
		f := newTemplateForm(typed)
		f.Marked = web.Mark(bad, &f.Name, &f.For, &f.Text)
		return s.showTemplate(w, r, http.StatusUnprocessableEntity, f)
	}
	return s.changeTemplate(w, r, t, "saved", func() error {
		return s.replies.SaveReply(r.Context(), t, operator(r))
	})
}

// deleteTemplate deletes a template after its page has asked.
func (s *site) deleteTemplate(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ReadForm(r)
	if err != nil {
		return err
	}
	t, err := s.replies.Reply(r.Context(), r.PathValue("reply"))
	switch {
	case fault.KindOf(err) == fault.NotFound: // the form was sent twice
		http.Redirect(w, r, templatesPath+"?done=deleted", http.StatusSeeOther)
		return nil
	case err != nil:
		return err
	case form.Get("sure") != "yes":
		f := newTemplateForm(t)
		f.Conflict = "Tick the box to delete the template."
		return s.showTemplate(w, r, http.StatusUnprocessableEntity, f)
	}
	shown := t
	if shown.Version, err = strconv.ParseInt(form.Get("version"), 10, 64); err != nil || shown.Version < 1 {
		return fault.Wrap(fault.Invalid, err, "The form is incomplete. Reload the page and try again.")
	}
	return s.changeTemplate(w, r, shown, "deleted", func() error {
		return s.replies.DeleteReply(r.Context(), shown, operator(r))
	})
}

// changeTemplate makes a change of a template. Somebody else's is not overwritten, and a form that is submitted twice
// counts once.
func (s *site) changeTemplate(w http.ResponseWriter, r *http.Request, t request.Reply, done string,
	change func() error) error {
	err := change()
	if fault.KindOf(err) == fault.Conflict {
		conflict := err
		now, err := s.replies.Reply(r.Context(), t.ID)
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return err
		}
		twice := now.Version == 0
		if done == "saved" {
			twice = now.Version == t.Version+1 && now.ChangedBy == operator(r) && now.Name == t.Name &&
				now.For == t.For && now.Text == t.Text
		}
		if !twice {
			f := newTemplateForm(t)
			f.Conflict = fault.Sentence(conflict)
			f.Reply, f.Version = now, strconv.FormatInt(now.Version, 10) // of a deleted one, 0: saving adds it anew
			return s.showTemplate(w, r, http.StatusConflict, f)
		}
	} else if err != nil {
		return err
	}
	http.Redirect(w, r, templatesPath+"?done="+done, http.StatusSeeOther)
	return nil
}

// offerTemplates adds the templates to the steps that they are for.
func (v *requestView) offerTemplates(list []request.Reply) {
	for i := range v.Steps {
		for _, t := range list {
			if st := stepOf(t); st.path == v.Steps[i].Path {
				v.Steps[i].Templates = append(v.Steps[i].Templates, web.Option{Value: t.ID, Label: t.Name})
			}
		}
	}
}

// useTemplate shows the page of a request with the text of a template in the form of a step, and changes nothing.
func (s *site) useTemplate(w http.ResponseWriter, r *http.Request, st step, form url.Values) error {
	t, err := s.replies.Reply(r.Context(), form.Get("template"))
	if err != nil {
		return err
	}
	v, err := s.requestView(r, "")
	if err != nil {
		return err
	}
	text, left := t.Filled(v.Request)
	for i := range v.Steps {
		if v.Steps[i].Path == st.path && t.For == st.to {
			v.fill(i, st, text)
			v.Steps[i].LeftOut = left
		}
	}
	return s.showRequest(w, r, http.StatusOK, v)
}

// fill puts a text into the form of a step.
func (v *requestView) fill(i int, st step, text string) {
	templates := v.Steps[i].Templates
	v.Steps[i] = st.view(*v, text, "")
	v.Steps[i].Templates, v.Steps[i].Open = templates, true
}
