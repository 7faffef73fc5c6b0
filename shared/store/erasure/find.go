package erasure

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// readAtOnce is how many partitions are read at once.
const readAtOnce = 32

// A subject is what may name the person: a request, a license, a customer or a sign-in, by the partition of its own
// row.
const (
	ofRequest  = "REQUEST#"
	ofLicense  = rowkey.LicensePrefix
	ofCustomer = rowkey.CustomerPrefix
	ofSignIn   = "SIGN-IN#" // has no row of its own but that of its mail
)

// subjectOf returns the subject of a row that says who is named: see entity.Changeset.Names.
func subjectOf(sk string) string {
	if of, ok := strings.CutPrefix(sk, rowkey.CustomerTimeline("").PK); ok {
		return ofCustomer + of
	}
	return sk
}

// found is all that may name a person, as it was read.
type found struct {
	*person
	mu      sync.Mutex
	seen    map[string]bool // the subjects
	roots   []string        // the subjects by which the others were found
	rows    []table.Row     // of the subjects, their timelines and their mails
	of      map[string]string
	links   map[string]string // to the pages of the subjects
	letters map[string][]outbox.KeptLetter
	own     []table.Row // rows whose keys have the address, to be deleted
}

// find reads all that may name a person. known are the subjects that an earlier run found.
func (e *Eraser) find(ctx context.Context, p *person, known []string) (*found, error) {
	f := &found{
		person: p, seen: map[string]bool{}, of: map[string]string{}, links: map[string]string{},
		letters: map[string][]outbox.KeptLetter{},
	}
	next := slices.Clone(known)
	var sent []table.Row // by which the address finds requests
	for _, pk := range []string{
		rowkey.EmailRequestsPK(p.mailbox), rowkey.ContactPK(p.mailbox), rowkey.NamedPK(p.mailbox),
		rowkey.ConfirmationsPK(p.mailbox), rowkey.Suppression(p.mailbox).PK, rowkey.SignInsPK(p.mailbox),
	} {
		err := e.table.EachKept(ctx, table.Query{PK: pk}, func(row table.Row) error {
			switch pk {
			case rowkey.EmailRequestsPK(p.mailbox):
				next = append(next, ofRequest+row.SK)
				sent = append(sent, row)
			case rowkey.ContactPK(p.mailbox):
				next = append(next, ofCustomer+row.SK)
			case rowkey.NamedPK(p.mailbox):
				next = append(next, subjectOf(row.SK))
				f.own = append(f.own, row)
			case rowkey.SignInsPK(p.mailbox):
				begun, err := entity.Decode[struct{ ID string }](row)
				if err != nil {
					return err
				}
				next = append(next, ofSignIn+begun.ID)
				f.own = append(f.own, row)
			default:
				f.own = append(f.own, row)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	asked, err := e.row(ctx, rowkey.ErasureAsked(p.mailbox))
	if err != nil {
		return nil, err
	}
	if asked != nil {
		f.own = append(f.own, *asked)
	}
	expired, err := e.expired(ctx, f)
	if err != nil {
		return nil, err
	}
	next = append(next, expired...)
	slices.Sort(next)
	f.roots = slices.Compact(next)
	for next = f.roots; len(next) > 0; {
		var round []string
		g, ctx := errgroup.WithContext(ctx)
		g.SetLimit(readAtOnce)
		for _, subject := range next {
			if f.seen[subject] {
				continue
			}
			f.seen[subject] = true
			g.Go(func() error {
				more, err := e.read(ctx, f, subject, slices.Contains(f.roots, subject))
				f.mu.Lock()
				defer f.mu.Unlock()
				round = append(round, more...)
				return err
			})
		}
		if err := g.Wait(); err != nil {
			return nil, err
		}
		next = round
	}
	for _, row := range sent {
		if f.links[ofRequest+row.SK] == "" { // the request was not read: the engine dropped it first
			f.own = append(f.own, row)
		}
	}
	err = e.learn(ctx, f)
	f.rows, f.own = slices.DeleteFunc(f.rows, e.skip), slices.DeleteFunc(f.own, e.skip)
	return f, err
}

// expired returns the requests whose time is over and that name the person, with their rows in the list: the engine may
// have dropped the row by which the address finds one before the request itself.
func (e *Eraser) expired(ctx context.Context, f *found) (requests []string, err error) {
	due := rowkey.ToDeleteThrough(license.DateOf(e.store.Now()))
	err = e.table.EachKept(ctx, due, func(row table.Row) error {
		of, err := entity.Decode[store.ToDelete](row)
		if err == nil && (f.is(of.Email) || slices.ContainsFunc(of.Named, f.is)) {
			_, id, _ := strings.Cut(row.SK, "#")
			requests = append(requests, ofRequest+id)
			f.rows = append(f.rows, row)
		}
		return err
	})
	return requests, err
}

// partitions are those that a subject has rows in.
func partitions(subject string) []string {
	kind, id, _ := strings.Cut(subject, "#")
	switch kind + "#" {
	case ofCustomer:
		return []string{subject, rowkey.CustomerTimeline(id).PK, rowkey.MailsPK(id)}
	case ofLicense:
		return []string{subject, rowkey.UnsubscribedPK(id), rowkey.MailsPK(id)}
	}
	return []string{subject, rowkey.MailsPK(id)}
}

// read reads a subject, and returns what it leads to.
func (e *Eraser) read(ctx context.Context, f *found, subject string, root bool) (more []string, err error) {
	kind, id, _ := strings.Cut(subject, "#")
	for _, pk := range partitions(subject) {
		err := e.table.EachKept(ctx, table.Query{PK: pk, Limit: 1000}, func(row table.Row) error {
			next, err := e.leads(ctx, f, subject, row, root)
			more = append(more, next...)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if kind+"#" == ofCustomer {
		err = e.table.EachKept(ctx, table.Query{PK: rowkey.CustomerRequestsPK(id)}, func(row table.Row) error {
			more = append(more, ofRequest+row.SK)
			return nil
		})
	}
	return more, err
}

// leads keeps a row of a subject, with the letters of a mail, and returns the subjects that it leads to.
func (e *Eraser) leads(ctx context.Context, f *found, subject string, row table.Row, root bool) (
	more []string, err error) {
	var links string
	var letters []outbox.KeptLetter
	switch rowkey.Type(row.Type) {
	case rowkey.TypeRequest:
		r, err := entity.Decode[request.Request](row)
		if err != nil {
			return nil, err
		}
		links = "/console/requests/" + r.ID
		if r.Customer != "" && (root || f.is(r.Email)) {
			more = append(more, ofCustomer+r.Customer)
		}
		for _, id := range r.Licenses {
			more = append(more, ofLicense+id)
		}
	case rowkey.TypeLicense:
		r, err := entity.Decode[store.LicenseRecord](row)
		if err != nil {
			return nil, err
		}
		links = "/console/licenses/" + r.License.ID
		if root {
			more = append(more, ofCustomer+r.License.Customer)
		}
	case rowkey.TypeCustomer:
		c, err := entity.Decode[customer.Customer](row)
		if err != nil {
			return nil, err
		}
		links = "/console/customers/" + string(c.Reference)
		if c.Survivor != "" {
			more = append(more, ofCustomer+c.Survivor)
		}
	case rowkey.TypeInstance:
		i, err := entity.Decode[customer.Instance](row)
		if err != nil {
			return nil, err
		}
		for _, l := range i.Licenses {
			more = append(more, ofLicense+l.ID)
		}
		for _, b := range i.Bridges {
			more = append(more, ofLicense+b.ID)
		}
		if i.Moved != nil {
			more = append(more, ofCustomer+i.Moved.Customer)
		}
	case rowkey.TypeIndex:
		if id, ok := strings.CutPrefix(row.SK, rowkey.MergedPrefix); ok {
			more = append(more, ofCustomer+id)
		}
		return more, nil
	case rowkey.TypeEvent:
		if more, err = eventLeads(row); err != nil {
			return nil, err
		}
	case rowkey.TypeDigestDue: // its license tells who was reminded, and may be another customer's now
		due, err := entity.Decode[notice.Due](row)
		if err != nil {
			return nil, err
		}
		more = append(more, ofLicense+due.License)
	case rowkey.TypeMail:
		if letters, err = e.box.Letters(ctx, row.SK); err != nil {
			return nil, err
		}
	}
	if len(letters) > 0 && e.skip(table.Row{Type: string(rowkey.TypeLetter)}) {
		letters = nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rows = append(f.rows, row)
	f.of[row.PK] = subject
	if links != "" {
		f.links[subject] = links
	}
	if len(letters) > 0 {
		f.letters[row.SK] = letters
	}
	return more, nil
}

// eventLeads returns what the lines of a timeline are about: also licenses that have moved away, and customers that
// were merged once.
func eventLeads(row table.Row) (more []string, err error) {
	var event struct {
		Lines []entity.Told `json:"lines"`
	}
	if err := json.Unmarshal(row.Data, &event); err != nil {
		return nil, err
	}
	for _, l := range event.Lines {
		if id, ok := strings.CutPrefix(l.Of, store.OfLicense("")); ok {
			more = append(more, ofLicense+id)
		}
		switch l.Action {
		case store.CustomerMerged, store.CustomerMergedIn, store.CustomerUnmerged:
			more = append(more, ofCustomer+l.Note)
		}
	}
	return more, nil
}

// learn notes the names of the person, and finds the rest: which contacts were asked on a day, and the daily emails
// that list requests.
func (e *Eraser) learn(ctx context.Context, f *found) error {
	days := map[license.Date]bool{}
	for _, row := range slices.Clone(f.rows) {
		if err := f.learnFrom(row); err != nil {
			return err
		}
		switch rowkey.Type(row.Type) {
		case rowkey.TypeRequest:
			r, err := entity.Decode[request.Request](row)
			if err != nil {
				return err
			}
			days[license.DateOf(r.Created)] = true
		case rowkey.TypeReport:
			if err := e.reported(ctx, f, row); err != nil {
				return err
			}
		case rowkey.TypeEvent:
			if err := e.askedIn(ctx, f, row); err != nil {
				return err
			}
		}
	}
	for _, letters := range f.letters {
		for _, l := range letters {
			if f.is(l.To.Email) {
				f.learn(l.To.Name)
			}
		}
	}
	if len(days) == 0 {
		return nil
	}
	first := time.Time{}
	for day := range days {
		if at := day.Start(); first.IsZero() || at.Before(first) {
			first = at
		}
	}
	return e.lists(ctx, f, license.DateOf(first))
}

// reported finds the row of a report in the list of recent ones.
func (e *Eraser) reported(ctx context.Context, f *found, row table.Row) error {
	r, err := entity.Decode[outbox.Report](row)
	if err != nil || r.Outcome == outbox.Delivered {
		return err
	}
	listed, err := e.row(ctx, rowkey.Reported(r.Recorded, row.Key))
	if listed != nil {
		f.rows = append(f.rows, *listed)
	}
	return err
}

// askedIn finds the rows that count how often the person was asked about requests.
func (e *Eraser) askedIn(ctx context.Context, f *found, row table.Row) error {
	var event struct {
		At    time.Time     `json:"at"`
		Lines []entity.Told `json:"lines"`
	}
	if err := json.Unmarshal(row.Data, &event); err != nil {
		return err
	}
	asked := func(l entity.Told) bool { return l.Action == store.ContactsAsked }
	id, ok := strings.CutPrefix(row.PK, ofRequest)
	if !ok || !slices.ContainsFunc(event.Lines, asked) {
		return nil
	}
	key := rowkey.Asked(f.mailbox, license.DateOf(event.At), id)
	version, err := e.table.Version(ctx, key)
	if version > 0 {
		f.own = append(f.own, table.Row{Key: key, Type: string(rowkey.TypeIndex)})
	}
	return err
}

// lists finds the letters to sales that listed requests from a day on.
func (e *Eraser) lists(ctx context.Context, f *found, from license.Date) error {
	about := string(mail.RequestUnconfirmed)
	q := table.Query{PK: rowkey.MailsPK(about), From: notice.IDOf(about, from.String())}
	return e.table.EachKept(ctx, q, func(row table.Row) error {
		if rowkey.Type(row.Type) != rowkey.TypeMail {
			return nil
		}
		letters, err := e.box.Letters(ctx, row.SK)
		if len(letters) > 0 {
			f.letters[row.SK] = letters
		}
		return err
	})
}

// open are the requests from the person that are open.
func (f *found) open() (list []request.Request, err error) {
	for _, row := range f.rows {
		if rowkey.Type(row.Type) != rowkey.TypeRequest {
			continue
		}
		r, err := entity.Decode[request.Request](row)
		if err != nil {
			return nil, err
		}
		if r.State.Open() && f.is(r.Email) {
			list = append(list, r)
		}
	}
	return list, nil
}

// row reads a row; nil if there is none.
func (e *Eraser) row(ctx context.Context, key table.Key) (found *table.Row, err error) {
	q := table.Query{PK: key.PK, From: key.SK, To: key.SK + " ", Limit: 1}
	err = e.table.EachKept(ctx, q, func(row table.Row) error {
		if row.Key == key {
			found = &row
		}
		return nil
	})
	return found, err
}

// colleague reports whether somebody with the address signed in to the console.
func (e *Eraser) colleague(ctx context.Context, p *person) (bool, error) {
	version, err := e.table.Version(ctx, rowkey.Colleague(p.mailbox))
	return version > 0, err
}
