package site

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/web"
)

type requestView struct {
	request.Request
	Badge, When badge
	Reviewer    string     // the reviewer's name
	Licenses    []mention  // that were issued for it
	Address     addressRow // of the requester
	Replaced    string     // the address that finds what Replaces names; "" for none
	CanEdit     bool       // the viewer may change the request
	Snapshot    snapshot
	Issuable    bool
	Steps       []stepView
	Error       *formError
	Done        string    // the outcome of the action before; "" for none
	Next        *nextView // after an action
	From        string    // passes on the queue that the person came from, as origin.suffix
	SameServer  related
	SameCompany related
	Mails       []mailRow
	Timeline    []eventView
	events      []store.Event // shown as Timeline
}

// Short returns the request's kind in a word.
func (v requestView) Short() string { return shortKind(v.Kind) }

// stepView is the form of a step.
type stepView struct {
	Path, Label, Hint string
	Field             *web.Field // nil: the form is just a button
	Open              bool       // the form is unfolded
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
	v, err := s.requestView(r)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(steps, func(st step) bool { return st.path == r.URL.Query().Get("done") }); i >= 0 {
		v.Done = steps[i].done
	} else {
		done := r.URL.Query().Get("done")
		v.Done = cmp.Or(doneResuming(done), doneToMail(done))
	}
	if v.Done != "" && v.CanEdit {
		if v.Next, err = s.next(r, v.Summary()); err != nil {
			return err
		}
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

// requestView reads what the page of the request in the address shows.
func (s *site) requestView(r *http.Request) (v requestView, err error) {
	ctx := r.Context()
	if v.Request, err = s.store.Request(ctx, requestID(r)); err != nil {
		return v, err
	}
	if v.events, err = s.store.RequestTimeline(ctx, v.ID); err != nil {
		return v, err
	}
	v.Badge, v.When = stateBadge(v.State), dueBadge(v.Summary(), s.now())
	v.Snapshot = snapshot{v.Version, lastOf(v.events)}
	v.From = originOf(r).suffix()
	named := namesOfLicenses(v.Request.Licenses)
	words, err := s.vocabulary(r, v.events, named...)
	if err != nil {
		return v, err
	}
	for _, l := range named {
		v.Licenses = append(v.Licenses, words.of(l))
	}
	v.Timeline, v.Reviewer = timelineView(v.events, words), words.colleagues.name(v.Request.Reviewer)
	addresses, _, err := s.addressRows(r, []license.Contact{{Name: v.Name, Email: v.Email}})
	if err != nil {
		return v, err
	}
	v.Address = addresses[0]
	if v.CanEdit = canEdit(r); v.CanEdit {
		v.Issuable = v.State.Leads(request.Issued)
		for _, st := range steps {
			if st.check(v.Request, operator(r)) == nil {
				v.Steps = append(v.Steps, st.view(v, "", ""))
			}
		}
	}
	if v.Replaces != "" {
		v.Replaced = searchFor(v.Replaces)
	}
	if v.Mails, err = s.mailsAbout(r, v.ID, "/console/requests/"+v.ID); err != nil {
		return v, err
	}
	seen := map[string]bool{v.ID: true}
	found, err := s.store.FindByServer(ctx, string(v.Request.Server), maxRelated)
	if err != nil {
		return v, err
	}
	v.SameServer = s.related(r, found, seen)
	if found, err = s.store.FindByName(ctx, v.Company, maxRelated); err != nil {
		return v, err
	}
	v.SameCompany = s.related(r, found, seen)
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
func (s *site) related(r *http.Request, found store.Found, seen map[string]bool) related {
	fresh := func(id string) bool {
		known := seen[id]
		seen[id] = true
		return !known
	}
	found.Requests = slices.DeleteFunc(found.Requests, func(other request.Summary) bool { return !fresh(other.ID) })
	found.Customers = slices.DeleteFunc(found.Customers, func(c store.CustomerSummary) bool { return !fresh(c.ID) })
	found.Instances = slices.DeleteFunc(found.Instances, func(i store.FoundInstance) bool { return !fresh(i.ID) })
	return related{s.requestRows(r, found.Requests), found.Customers, s.instanceRows(found.Instances), found.More}
}

// Any reports whether there are any.
func (r related) Any() bool { return len(r.Requests)+len(r.Customers)+len(r.Instances) > 0 }
