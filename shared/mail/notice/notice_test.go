package notice_test

import (
	"regexp"
	"testing"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
)

func day(s string) license.Date {
	d, err := license.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

func filed(state request.State) request.Request {
	r := request.Request{ID: "01c7gcm9m0aaaaaaaaaaaaaaaa", State: state}
	r.Question, r.Reason = "Which edition?", "Paid twice."
	r.Name, r.Email, r.Reviewer = "Ada Lovelace", "ada@acme.example", "sam@vendor.example"
	return r
}

func sold() license.License {
	return license.License{
		ID: "01c7gcm9m0bbbbbbbbbbbbbbbb", Type: license.Production, Edition: license.Developer,
		Expiration: day("2019-03-31"), Customer: "01c7gcm9m0cccccccccccccccc",
	}
}

var adaLovelace = license.Contact{Name: "Ada Lovelace", Email: "ada@acme.example"}

func changed(f func(*license.License)) notice.Records {
	l := sold()
	f(&l)
	contacts := []license.Contact{it, {Email: "Ada@ACME.example"}}
	return notice.Records{
		Licenses: []license.License{l}, Contacts: contacts, Today: day("2019-02-15"),
		Expiring: map[string]notice.Expiring{l.ID: {License: l, Contacts: contacts}},
	}
}

// all has a notice of every kind.
var all = map[string]notice.Notice{
	"01c7gcm9m0aaaaaaaaaaaaaaaa--received":                   notice.RequestReceived(filed(request.Received)),
	"01c7gcm9m0aaaaaaaaaaaaaaaa--received-corrected":         notice.RequestReceivedAgain(filed(request.Received), "corrected"),
	"01c7gcm9m0aaaaaaaaaaaaaaaa--to-confirm-x":               notice.RequestsToConfirm(filed(request.Received), "x"),
	"01c7gcm9m0aaaaaaaaaaaaaaaa--ask-1550221200001-" + other: notice.RequestAsk(asked(filed(request.Received)), it, "secret"),
	"01c7gcm9m0aaaaaaaaaaaaaaaa--answer-1550221200001-" + other: notice.RequestAnswered(filed(request.Received),
		request.Answer{By: it.Email, At: time.UnixMilli(1550221200001)}),
	"01c7gcm9m0aaaaaaaaaaaaaaaa--domain-2019-02-15":        notice.RequestsOfDomain(filed(request.Received), day("2019-02-15")),
	"01c7gcm9m0aaaaaaaaaaaaaaaa--late-1550221200001":       notice.RequestLate(late(), sam),
	"01c7gcm9m0aaaaaaaaaaaaaaaa--late-sales-1550221200001": notice.RequestLateSales(late()),
	"01c7gcm9m0aaaaaaaaaaaaaaaa--answered-4":               update(notice.Answered),
	"01c7gcm9m0aaaaaaaaaaaaaaaa--new":                      notice.RequestNew(filed(request.Received)),
	"01c7gcm9m0aaaaaaaaaaaaaaaa--filed":                    notice.RequestConfirmed(filed(request.Received)),
	"01c7gcm9m0aaaaaaaaaaaaaaaa--question-3":               notice.RequestQuestion(filed(request.Waiting), 3),
	"01c7gcm9m0aaaaaaaaaaaaaaaa--rejected-2":               notice.RequestClosed(filed(request.Rejected), 2, "sam"),
	"01c7gcm9m0aaaaaaaaaaaaaaaa--withdrawn-2":              notice.RequestClosed(filed(request.Withdrawn), 2, "sam"),
	"request-unconfirmed--2019-02-15": notice.RequestsUnconfirmed([]request.Summary{{ID: "r1"}},
		day("2019-02-15")),
	"01c7gcm9m0bbbbbbbbbbbbbbbb--key":                       notice.LicenseKey([]license.License{sold()}, adaLovelace),
	"01c7gcm9m0bbbbbbbbbbbbbbbb--again-n1":                  notice.LicenseKeyAgain(sold(), adaLovelace, "n1"),
	"01c7gcm9m0cccccccccccccccc--2019-01-31-" + ada + "-01": digest,
	"01c7gcm9m0cccccccccccccccc--stopped-n1-" + ada:         notice.RemindersStopped(digest, nil, "n1"),
	"01c7gcm9m0bbbbbbbbbbbbbbbb--2019-03-31-unreached":      notice.LicenseUnreached(sold()),
	"01c7gcm9m0bbbbbbbbbbbbbbbb--2019-03-31-2m-next":        notice.LicenseNextKey(sold(), reminder.MonthsBefore(2)),
	"01c7gcm9m0bbbbbbbbbbbbbbbb--moved":                     notice.LicenseMoved([]license.License{sold()}, nil, "sam", it.Email),
	"01c7gcm9m0bbbbbbbbbbbbbbbb--moved-" + ada:              told(adaLovelace, notice.LicenseMoved([]license.License{sold()}, nil, "sam")),
	"01c7gcm9m0bbbbbbbbbbbbbbbb--revoked":                   notice.LicenseRevoked(sold(), "unpaid", "sam"),
	"01c7gcm9m0bbbbbbbbbbbbbbbb--revoked-" + ada:            told(adaLovelace, notice.LicenseRevoked(sold(), "unpaid", "sam")),
	"01c7gcm9m0cccccccccccccccc--erasure-n1":                notice.ErasureAsked(sold().Customer, it, "n1"),
	"01c7gcm9m0cccccccccccccccc--contact-added-7":           notice.ContactAdded(change),
	"01c7gcm9m0cccccccccccccccc--contact-removed-7-" + ada:  told(adaLovelace, notice.ContactRemoved(change)),
	"01c7gcm9m0cccccccccccccccc--contact-removed-7-" + ada + "-undo": notice.ContactUndo(
		told(adaLovelace, notice.ContactRemoved(change))),
	"01c7gcm9m0bbbbbbbbbbbbbbbb--key-repeated":                              notice.LicenseKey([]license.License{sold()}, adaLovelace).Repeated(),
	"01c7gcm9m0bbbbbbbbbbbbbbbb--key-" + other:                              notice.LicenseKey([]license.License{sold()}, adaLovelace).Repeated().ToContact(it),
	"01c7gcm9m0cccccccccccccccc--2019-01-31-" + ada + "-01-repeated":        digest.Repeated(),
	"01c7gcm9m0cccccccccccccccc--2019-01-31-" + ada + "-01-again-n1-" + ada: digest.Again("n1"),
}

// digest reminds Ada of a license.
var digest = remindOf(adaLovelace, due)

// due is the license of sold, two months before.
var due = notice.Due{License: sold().ID, Expiration: sold().Expiration, Stage: reminder.MonthsBefore(2)}

func remindOf(to license.Contact, list ...notice.Due) notice.Notice {
	n := notice.LicensesExpiring(sold().Customer, day("2019-01-31"), to, 1)
	n.Due = list
	return n
}

// change is a change of contacts.
var change = notice.ContactChange{
	Customer: "01c7gcm9m0cccccccccccccccc", Version: 7, Contacts: []license.Contact{adaLovelace}, By: "sam",
}

// told is what a contact is told of a notice that expands.
func told(to license.Contact, n notice.Notice) notice.Notice {
	one, ok := n.ForContact(to)
	if !ok {
		panic(to.Email + " is not told")
	}
	return one
}

func TestNoticeToContactsExpandsToThoseWhoDidNotAsk(t *testing.T) {
	n := notice.LicenseRevoked(sold(), "unpaid", "sam", "IT@acme.example")
	if !n.Expands() || !notice.ContactUndo(n).Expands() || notice.LicenseKey([]license.License{sold()}, it).Expands() {
		t.Error("got another kind that expands, want those to contacts and the undo")
	}
	if one, ok := n.ForContact(it); ok {
		t.Errorf("got %s to who asked, want none", one.ID)
	}
	one := told(adaLovelace, n)
	if one.Expands() || one.Except != nil || one.Text != "unpaid" || one.Rank() != notice.RankUrgent {
		t.Errorf("got %+v, want an urgent email with the reason", one)
	}
	if !told(adaLovelace, notice.ContactRemoved(change)).Concerns(license.Contact{Email: "Ada@ACME.example"}) {
		t.Error("the notice does not concern its recipient")
	}
}

// asked is a request about which it was asked.
func asked(r request.Request) request.Request {
	r.Asked, r.AskedOf = time.UnixMilli(1550221200001), []string{it.Email}
	return r
}

var (
	it    = license.Contact{Email: "it@acme.example"}
	ada   = mail.RecipientID("ADA@acme.example")
	other = mail.RecipientID(it.Email)
)

func TestIDsTellCausesApartAndAreTags(t *testing.T) {
	tag := regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`) // SES API, MessageTag
	kinds := map[mail.Kind]bool{}
	for id, n := range all {
		if n.ID != id || !tag.MatchString(n.ID) || notice.AboutID(n.ID) != n.About || n.Customer == "" || !n.Known() {
			t.Errorf("got %+v, want the ID %s", n, id)
		}
		kinds[n.Kind] = true
	}
	if len(kinds) != 25 {
		t.Errorf("got notices of %d kinds, want all 25", len(kinds))
	}
	if (notice.Notice{Kind: "newsletter"}).Known() {
		t.Error("a kind that nobody writes is known")
	}
}

func TestCustomerIsTheDomainOrAtAPublicProviderTheAddress(t *testing.T) {
	for email, want := range map[string]string{
		"Ada@ACME.example": "acme.example", "ada@gmail.com": "ada@gmail.com", "zoe@bücher.example": "xn--bcher-kva.example",
		"nobody": "nobody",
	} {
		if got := notice.Customer(email); got != want {
			t.Errorf("%s: got %s, want %s", email, got, want)
		}
	}
}

func TestCustomerWaitsForNoEmailAboutTheirOwnCancellation(t *testing.T) {
	own := notice.RequestClosed(filed(request.Withdrawn), 2, notice.ByCustomer)
	if own.Rank() != notice.RankSoon {
		t.Errorf("got rank %d, want that of a confirmation: the public site may queue no other", own.Rank())
	}
}

func TestNoticeSaysWhyItIsPointless(t *testing.T) {
	retired := changed(func(l *license.License) { l.Retired = true })
	left := changed(func(*license.License) {})
	left.Expiring = map[string]notice.Expiring{sold().ID: {License: sold()}}
	for want, got := range map[string]string{
		"the instance was retired":             digest.Pointless(retired),
		"the recipient is no longer a contact": digest.Pointless(left),
		"the license was revoked or has expired": notice.LicenseKey([]license.License{sold()}, adaLovelace).Pointless(
			notice.Records{Today: day("2019-02-15")}),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if why := notice.LicenseUnreached(sold()).Pointless(retired); why != "the instance was retired" {
		t.Errorf("task: got %q, want that the instance was retired", why)
	}
}

func TestMailsAboutLicensesShareTheirCustomersPlace(t *testing.T) {
	const want = "customer-01c7gcm9m0cccccccccccccccc"
	for _, n := range []notice.Notice{
		notice.LicenseKey([]license.License{sold()}, adaLovelace), notice.LicenseKeyAgain(sold(), it, "n1"),
		remindOf(it, due), notice.LicenseUnreached(sold()), notice.LicenseNextKey(sold(), reminder.MonthsBefore(2)),
	} {
		if n.Customer != want {
			t.Errorf("%s: got %s, want %s", n.ID, n.Customer, want)
		}
	}
}

// withRequest returns the records of a changed request.
func withRequest(f func(*request.Request)) notice.Records {
	r := filed(request.Received)
	f(&r)
	return notice.Records{Request: r}
}

// askedThroughLink makes it one whose customer was asked a question.
func askedThroughLink(r *request.Request) {
	throughLink(r)
	r.State = request.Waiting
}

// throughLink makes it a request that came through a link to its own address.
func filedSignedIn(r *request.Request) {
	r.Link, r.Confirmed = &request.Link{Contact: r.Email}, r.Created
}

func responded(r *request.Request) {
	r.State, r.Response = request.InReview, &request.Response{Text: "Developer."}
}

func update(u notice.Update) notice.Notice {
	return notice.RequestUpdated(filed(request.InReview), u, 4)
}

func throughLink(r *request.Request) { r.Link, r.Bound = &request.Link{Contact: r.Email}, true }

func TestWhatIsPointless(t *testing.T) {
	about := func(state request.State) notice.Records { return notice.Records{Request: filed(state)} }
	otherQuestion := filed(request.Waiting)
	otherQuestion.Question = "Which server?"
	corrected := filed(request.Received)
	corrected.Email = "ada@acme.test"
	key, task := notice.LicenseKey([]license.License{sold()}, adaLovelace), notice.LicenseUnreached(sold())
	same := func(*license.License) {}
	revoked := func(l *license.License) { l.Revoked = time.Unix(1, 0) }
	reachable := changed(same)
	reachable.Reachable = true
	arrived := changed(same)
	arrived.Arrived = true
	next := notice.LicenseNextKey(sold(), reminder.MonthsBefore(2))
	nextFor := func(f func(*license.License)) notice.Records {
		r := changed(f)
		r.ContractLast = day("2021-03-31")
		return r
	}
	left := changed(same)
	left.Expiring = map[string]notice.Expiring{sold().ID: {License: sold(), Contacts: left.Contacts[:1]}}
	received := notice.RequestReceived(filed(request.Received))
	question := notice.RequestQuestion(filed(request.Waiting), 1)
	rejected := notice.RequestClosed(filed(request.Rejected), 2, "sam")
	list := notice.RequestsToConfirm(filed(request.Received), "x")
	answered := asked(filed(request.Received))
	ask := notice.RequestAsk(answered, it, "secret")
	answered.Answers = []request.Answer{{By: "IT@acme.example"}}
	contacts := []license.Contact{adaLovelace, {Email: "It@acme.example"}}
	on := func(r request.Request, readers ...license.Contact) notice.Records {
		return notice.Records{Request: r, Contacts: readers}
	}
	said := request.Answer{By: it.Email, At: time.Unix(2, 0), Yes: true}
	yes, closed := asked(filed(request.InReview)), asked(filed(request.Issued))
	yes.Answers = []request.Answer{said}
	closed.Answers = yes.Answers
	later := yes
	later.Answers = []request.Answer{{By: it.Email, At: time.Unix(3, 0)}}
	told := notice.RequestAnswered(yes, said)
	for name, tt := range map[string]struct {
		n         notice.Notice
		r         notice.Records
		pointless bool
	}{
		"confirmation":                             {received, about(request.Received), false},
		"confirmation, in review":                  {received, about(request.InReview), false},
		"confirmation, question asked":             {received, about(request.Waiting), false},
		"confirmation, confirmed":                  {received, withRequest(func(r *request.Request) { r.Confirmed = time.Unix(1, 0) }), true},
		"receipt, through a link":                  {received, withRequest(throughLink), false},
		"receipt, question asked":                  {received, withRequest(askedThroughLink), true},
		"confirmation, issued":                     {received, about(request.Issued), true},
		"list to confirm":                          {list, about(request.Received), false},
		"list to confirm, confirmed":               {list, withRequest(func(r *request.Request) { r.Confirmed = time.Unix(1, 0) }), true},
		"list to confirm, closed":                  {list, about(request.Withdrawn), true},
		"list to the wrong address":                {list, notice.Records{Request: corrected}, true},
		"question to a contact":                    {ask, on(asked(filed(request.InReview)), contacts...), false},
		"question to a contact, no more a contact": {ask, on(asked(filed(request.InReview)), adaLovelace), true},
		"answer":                                   {told, on(yes), false},
		"answer, repeated":                         {told.Repeated(), on(yes), false},
		"answer, sent again":                       {told.Again("n1"), on(yes), false},
		"answer, changed":                          {told, on(later), true},
		"answer, closed":                           {told, on(closed), true},
		"question to a contact, closed":            {ask, on(asked(filed(request.Issued)), contacts...), true},
		"question to a contact, address corrected": {ask, about(request.Received), true},
		"question to a contact, answered":          {ask, on(answered, contacts...), true},
		"confirmation to the wrong address":        {received, notice.Records{Request: corrected}, true},
		"receipt, filed signed in":                 {received, withRequest(filedSignedIn), false},
		"customer answered":                        {update(notice.Answered), withRequest(responded), false},
		"customer answered, asked again":           {update(notice.Answered), about(request.Waiting), true},
		"customer corrected":                       {update(notice.Corrected), about(request.InReview), false},
		"customer corrected, closed":               {update(notice.Corrected), about(request.Withdrawn), true},
		"customer cancelled":                       {update(notice.Cancelled), about(request.Withdrawn), false},
		"new request":                              {notice.RequestNew(filed(request.Received)), about(request.Received), false},
		"new request, in review":                   {notice.RequestNew(filed(request.Received)), about(request.InReview), true},
		"question":                                 {question, about(request.Waiting), false},
		"question, answered":                       {question, about(request.InReview), true},
		"question, another one":                    {question, notice.Records{Request: otherQuestion}, true},
		"rejection":                                {rejected, about(request.Rejected), false},
		"rejection, issued after all":              {rejected, about(request.Issued), true},
		"key":                                      {key, changed(same), false},
		"key, revoked":                             {key, changed(revoked), true},
		"key, expired":                             {key, changed(func(l *license.License) { l.Expiration = day("2019-02-14") }), true},
		"reminder":                                 {digest, changed(same), false},
		"reminder, later stage due":                {digest, changed(func(l *license.License) { l.Expiration = day("2019-03-14") }), true},
		"reminder, not due":                        {digest, changed(func(l *license.License) { l.Expiration = day("2019-08-31") }), true},
		"reminder, muted":                          {digest, changed(func(l *license.License) { l.Mute = license.Mute{By: "sam", At: time.Unix(1, 0)} }), true},
		"reminder, renewed":                        {digest, changed(func(l *license.License) { l.Successor = "l2" }), true},
		"reminder, revoked":                        {digest, changed(revoked), true},
		"reminder, retired":                        {digest, changed(func(l *license.License) { l.Retired = true }), true},
		"reminder, no longer a contact":            {digest, left, true},
		"key, to no contact":                       {key, left, false},
		"next key":                                 {next, nextFor(same), false},
		"next key, contract ended":                 {next, changed(same), true},
		"next key, issued":                         {next, nextFor(func(l *license.License) { l.Successor = "l2" }), true},
		"next key, retired":                        {next, nextFor(func(l *license.License) { l.Retired = true }), true},
		"next key, later stage due":                {next, nextFor(func(l *license.License) { l.Expiration = day("2019-03-14") }), true},
		"task":                                     {task, changed(same), false},
		"task, reachable again":                    {task, reachable, true},
		"task, retired":                            {task, changed(func(l *license.License) { l.Retired = true }), true},
		"task, muted":                              {task, changed(func(l *license.License) { l.Mute = license.Mute{By: "sam", At: time.Unix(1, 0)} }), true},
		"repetition":                               {key.Repeated(), changed(same), false},
		"repetition, arrived after all":            {key.Repeated(), arrived, true},
	} {
		if why := tt.n.Pointless(tt.r); (why != "") != tt.pointless {
			t.Errorf("%s: got %q, want pointless: %v", name, why, tt.pointless)
		}
	}
}
