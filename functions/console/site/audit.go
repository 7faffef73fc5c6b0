package site

import (
	"net/http"
	"slices"
	"time"

	"marketplace/shared/store"
	"marketplace/shared/store/audit"
	"marketplace/shared/store/deletion"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/erasure"
	"marketplace/shared/store/reply"
	accounts "marketplace/shared/store/signin"
)

// auditView is a page of the audit.
type auditView struct {
	Typed    map[string]string // the fields of the filter
	Errors   map[string]string // by field
	Who      []choice
	Actions  []choice
	Named    []auditedCandidate
	Filtered bool
	Of       *store.CustomerSummary // the customer of the filter
	Entries  []auditEntry
	CSV      string // the address of the export; "" if the filter is wrong
	Through  string // the oldest day that this page looked through, if it is not full
	First    string // the address of the newest changes; "" on their page
	Next     string // the address of the changes before; "" if there are none
}

// auditEntry is a change of the system.
type auditEntry struct {
	At    time.Time
	By    string
	Lines []auditLine
	More  []auditLine // lines beyond the first few
}

// auditPageSize is how many changes a page of the audit shows.
const auditPageSize = 50

// showAudit shows who did what, the newest first.
func (s *site) showAudit(w http.ResponseWriter, r *http.Request) error {
	f, err := s.readAuditFilter(r)
	if err != nil {
		return err
	}
	after := r.URL.Query().Get("after")
	v := auditView{
		Typed: map[string]string{}, Errors: f.errors, Named: f.named, Filtered: len(f.typed) > 0,
		Actions: actionChoices(f.Action),
	}
	for name := range f.typed {
		v.Typed[name] = f.typed.Get(name)
	}
	if f.customer != nil {
		of := summaryOf(f.customer.Customer)
		v.Of = &of
	}
	if after != "" {
		v.First = f.with("after", "")
	}
	status := http.StatusOK
	if len(f.errors) > 0 {
		status = http.StatusUnprocessableEntity
	} else if err := s.fillAudit(r, &v, f, after); err != nil {
		return err
	}
	v.Who = whoChoices(colleaguesOf(r), f.By) // read meanwhile
	title := "Audit"
	if status != http.StatusOK {
		title = "Error: " + title
	}
	return s.render(w, r, status, "audit.html", inAudit, title, v)
}

// fillAudit reads the page of the audit that the filter selects.
func (s *site) fillAudit(r *http.Request, v *auditView, f auditFilter, after string) error {
	page, err := s.audit.Page(r.Context(), f.Query, auditPageSize, after)
	if err != nil {
		return err
	}
	if v.Entries, err = s.auditEntries(r, page.Entries, f); err != nil {
		return err
	}
	v.CSV = auditPath + ".csv?" + f.typed.Encode()
	if page.Next != "" {
		v.Next = f.with("after", page.Next)
	}
	if !page.Through.IsZero() && len(page.Entries) < auditPageSize {
		v.Through = page.Through.Long()
	}
	return nil
}

// whoChoices lists who can be filtered by. One who never signed in is listed while the filter names them.
func whoChoices(names colleagues, chosen string) []choice {
	list := []choice{
		{Value: audit.Colleagues, Label: "All colleagues"},
		{Value: store.Customer, Label: "Customers"},
		{Value: store.System, Label: "The system"},
	}
	var people []choice
	for email := range names {
		people = append(people, choice{Value: email, Label: names.name(email)})
	}
	slices.SortFunc(people, func(a, b choice) int { return compareLabels(a.Label, b.Label) })
	return choose(append(list, people...), chosen, names.name(chosen))
}

// actionChoices lists what can be filtered by.
func actionChoices(chosen store.Action) (list []choice) {
	for _, a := range auditedActions {
		list = append(list, choice{Value: string(a), Label: actionLabel(a)})
	}
	slices.SortFunc(list, func(a, b choice) int { return compareLabels(a.Label, b.Label) })
	return choose(list, string(chosen), actionLabel(chosen))
}

// choose marks what is chosen, and adds it if the list does not have it.
func choose(list []choice, value, label string) []choice {
	i := slices.IndexFunc(list, func(c choice) bool { return c.Value == value })
	if i < 0 && value != "" {
		list = append(list, choice{Value: value, Label: label})
		i = len(list) - 1
	}
	if i >= 0 {
		list[i].Chosen = true
	}
	return list
}

// auditedActions lists everything that the audit may tell. A test compares it with the actions in the tree.
var auditedActions = []store.Action{
	store.RequestReceived, store.BridgeRequested,
	store.RequestTaken, store.RequestTakenOver, store.CustomerAsked, store.RequestResumed,
	store.RequestRejected, store.RequestWithdrawn, store.RequestIssued, store.RequestAnswered,
	store.QuestionAnswered, store.RequestCorrected, store.RequestCancelled,
	store.RejectionUndone, store.WithdrawalUndone, store.RequestConfirmed, store.RequestDenied,
	store.ConfirmationSent, store.EmailCorrected, store.RequestLinked, store.RequestUnlinked,
	store.ContactsAsked, store.ContactSaidYes, store.ContactSaidNo, store.VouchedFor, store.VouchWithdrawn,
	store.LicenseRecorded, store.LicenseIssued, store.BridgeIssued,
	store.LicenseReplaced, store.LicenseRevoked, store.PackageTailored,
	store.KeySentAgain, store.RemindersMuted, store.RemindersOn, store.LicenseSuccessorSet,
	store.LicenseSuccessorRevoked, store.ReminderQueued, store.Unsubscribed, store.Resubscribed,
	store.WarningsConfirmed, store.NoteAdded, store.PermissionNoted,
	store.CustomerAdded, store.CustomerChanged, store.ContactRestored, store.CustomerMerged, store.CustomerMergedIn,
	store.CustomerUnmerged, store.ContractMade, store.ContractChanged, store.ContractEnded, store.ContractReopened,
	store.InstanceAdded, store.InstanceChanged, store.InstanceTold, store.InstanceRetired, store.InstanceResumed,
	store.InstanceMoved, store.InstanceMovedBack, store.InstanceMovedAway,
	store.SignedIn, store.SignInRefused, store.SignedOut, accounts.SignedIn, accounts.SignedOut,
	delivery.MailBounced, delivery.MailComplained, delivery.MailRefused, delivery.MailReturned, delivery.MailAnswered,
	delivery.MailDelayed, delivery.MailRepeated, delivery.MailReaddressed, delivery.ContactsUnreached,
	delivery.MailTriedAgain, delivery.MailSentAgain, delivery.AddressSuppressed, delivery.SuppressionLifted,
	delivery.DailyRunEnded, store.LateReviewerTold, store.LateSalesTold, deletion.RequestDeleted,
	erasure.PersonErased, erasure.ErasureAsked, reply.Added, reply.Changed, reply.Deleted,
	audit.Exported, audit.KeyShown, audit.KeyLoaded, audit.LetterOpened,
}
