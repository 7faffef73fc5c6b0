package site

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/search"
	"marketplace/shared/web"
)

type requestView struct {
	request.Request
	Badge, When badge
	Deadline    string // of the reply; "" before one was promised and while the customer has to answer
	Asker       askerView
	Reviewer    string     // the reviewer's name
	Licenses    []mention  // that were issued for it
	Address     addressRow // of the requester
	Replaced    string     // the address that finds what Replaces names; "" for none
	CanEdit     bool       // the viewer may change the request
	Snapshot    snapshot
	Issuable    bool
	Moves       []stepView // steps without a text
	Steps       []stepView // steps with one
	Resends     []resendView
	Standing    standingView
	Linking     linkView
	Ask         *askView     // nil: there is nobody to ask
	Vouching    *vouchView   // nil: nobody can vouch
	CanWithdraw bool         // the vouch
	Bridge      *bridgeOffer // nil: the request is none that could have a bridge key
	Error       *formError
	Done        string     // the outcome of the action before; "" for none
	Undo        *undoOffer // nil: nothing can be undone
	Next        *nextView  // after an action
	From        string     // passes on the queue that the person came from, as origin.suffix
	SameServer  related
	SameCompany related
	Mails       []mailRow
	Timeline    []eventView
	events      []store.Event // shown as Timeline
}

// CanResend reports whether a key on record answers the request.
func (v requestView) CanResend() bool {
	return slices.ContainsFunc(v.Resends, func(r resendView) bool { return len(r.To) > 0 })
}

// Short returns the request's kind in a word.
func (v requestView) Short() string { return shortKind(v.Kind) }

// stepView is the form of a step.
type stepView struct {
	Path, Label, Hint string
	Button            string     // that submits the form
	Field             *web.Field // nil: the form is just a button
	Open              bool       // the form is unfolded
	Templates         []web.Option
	LeftOut           []string // placeholders that a template left out
}

// related lists other requests, customers and instances of the same server or company.
type related struct {
	Requests  []requestRow
	Customers []store.CustomerSummary
	Instances []instanceRow
	More      bool
}

// maxRelated is the number of related requests, customers and instances that a page shows.
const maxRelated = 20

// request shows a request.
func (s *site) request(w http.ResponseWriter, r *http.Request) error {
	done := r.URL.Query().Get("done")
	if i := slices.IndexFunc(steps, func(st step) bool { return st.path == done }); i >= 0 {
		done = steps[i].done
	} else if i := slices.IndexFunc(whoSteps, func(st step) bool { return st.path == done }); i >= 0 {
		done = whoSteps[i].done
	} else {
		done = cmp.Or(doneToFiling(done), doneResuming(done), doneToMail(done), doneToUndo(done))
	}
	v, err := s.requestView(r, done)
	if err != nil {
		return err
	}
	return s.showRequest(w, r, http.StatusOK, v)
}

func (s *site) showRequest(w http.ResponseWriter, r *http.Request, status int, v requestView) error {
	title := v.Company + ": " + v.Short()
	if status != http.StatusOK {
		title = "Not saved: " + title
	}
	return s.render(w, r, status, "request.html", inQueue, title, v)
}

// requestView reads what the page of the request in the address shows. done is the outcome of the action before; "" for
// none. After one, the page offers the next request.
func (s *site) requestView(r *http.Request, done string) (v requestView, err error) {
	if v.Request, err = s.store.Request(r.Context(), requestID(r)); err != nil {
		return v, err
	}
	v.Done, v.CanEdit = done, canEdit(r)
	requester := []license.Contact{{Name: v.Name, Email: v.Email}}
	named := namesOfLicenses(v.Request.Licenses)
	var words vocabulary
	var addresses []addressRow
	var asker asked
	var sameServer, sameCompany search.Found
	var templates []request.Reply
	g, ctx := errgroup.WithContext(r.Context())
	read(g, &words, func() (_ vocabulary, err error) {
		if v.events, err = s.store.RequestTimeline(ctx, v.ID); err != nil {
			return vocabulary{}, err
		}
		return s.vocabulary(r.WithContext(ctx), v.events, named...)
	})
	read(g, &v.Mails, func() ([]mailRow, error) { return s.mailsAbout(ctx, r, v.ID, "/console/requests/"+v.ID) })
	read(g, &addresses, func() ([]addressRow, error) { return s.addressRows(ctx, requester) })
	read(g, &asker, func() (asked, error) { return s.readAsked(ctx, v.Request) })
	read(g, &sameServer, func() (search.Found, error) {
		return s.index.ByServer(ctx, string(v.Request.Server), maxRelated)
	})
	read(g, &sameCompany, func() (search.Found, error) { return s.index.ByName(ctx, v.Company, maxRelated) })
	if v.CanEdit {
		read(g, &templates, func() ([]request.Reply, error) { return s.replies.Replies(ctx) })
	}
	if v.Done != "" && v.CanEdit {
		read(g, &v.Next, func() (*nextView, error) { return s.next(ctx, r, v.Summary()) })
	}
	if err := g.Wait(); err != nil {
		return v, err
	}
	v.Undo = newUndoOffer(v.Request, s.now())
	v.Badge, v.When = stateBadge(v.State), dueBadge(v.Summary(), s.now())
	if sum := v.Summary(); sum.AwaitsReply() || !v.State.Open() && !v.Unconfirmed {
		v.Deadline = s.mail.Hours.Deadline(v.Due)
	}
	v.Snapshot = snapshot{v.Version, lastOf(v.events)}
	v.From = originOf(r).suffix()
	for _, l := range named {
		v.Licenses = append(v.Licenses, words.of(l))
	}
	v.Timeline, v.Reviewer = timelineView(v.events, words), words.colleagues.name(v.Request.Reviewer)
	v.Address = addresses[0]
	if v.CanEdit {
		v.Issuable = v.State.Leads(request.Issued) && v.Kind != request.Bridge // which are issued by themselves
		v.Resends = s.resends(v.Request, sameServer.Instances)
		for _, st := range steps {
			if st.check(v.Request, operator(r)) != nil {
				continue
			}
			if st.input == nil {
				v.Moves = append(v.Moves, st.view(v, "", ""))
			} else {
				v.Steps = append(v.Steps, st.view(v, "", ""))
			}
		}
		v.offerTemplates(templates)
	}
	if v.Replaces != "" {
		v.Replaced = searchFor(v.Replaces)
	}
	seen := map[string]bool{v.ID: true}
	v.Asker = asker.view(s, v.Request, seen)
	j := s.judge(r, v.Request, asker)
	v.sayWho(j, operator(r))
	if v.Bridge, err = s.viewOfBridge(r, j); err != nil {
		return v, err
	}
	v.SameServer = s.related(r, sameServer, seen)
	v.SameCompany = s.related(r, sameCompany, seen)
	return v, nil
}

func namesOfLicenses(ids []string) (named []store.Subject) {
	for _, id := range ids {
		named = append(named, licenseOf(id))
	}
	return named
}

// requestID returns the ID of the request in the address.
func requestID(r *http.Request) string { return strings.ToLower(r.PathValue("id")) }

// related leaves out what the page already shows, and adds the rest to seen.
func (s *site) related(r *http.Request, found search.Found, seen map[string]bool) related {
	fresh := func(id string) bool {
		known := seen[id]
		seen[id] = true
		return !known
	}
	found.Requests = slices.DeleteFunc(found.Requests, func(other request.Summary) bool { return !fresh(other.ID) })
	found.Customers = slices.DeleteFunc(found.Customers, func(c store.CustomerSummary) bool { return !fresh(c.ID) })
	found.Instances = slices.DeleteFunc(found.Instances, func(i search.FoundInstance) bool { return !fresh(i.ID) })
	return related{s.requestRows(r, found.Requests), found.Customers, s.instanceRows(found.Instances), found.More}
}

// Any reports whether there are any.
func (r related) Any() bool { return len(r.Requests)+len(r.Customers)+len(r.Instances) > 0 }
