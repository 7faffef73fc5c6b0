// Package mail holds the messages that the vendor sends and the Sender that delivers them. mail/letter writes them,
// mail/eml turns them into MIME, and mail/ses and mail/outboxdir are the Senders. The outbox in shared/store keeps
// messages, and functions/mailer decides when and how often one is sent.
package mail

// Kind is the purpose of a message.
type Kind string

const (
	RequestReceived    Kind = "request-received"    // to the address of a request: confirm it, or we have it
	RequestNew         Kind = "request-new"         // to sales: a new license request
	RequestUnconfirmed Kind = "request-unconfirmed" // to sales: requests that nobody has confirmed
	RequestConfirmed   Kind = "request-confirmed"   // to nobody: becomes mails to sales and to contacts
	RequestQuestion    Kind = "request-question"    // to the customer: we have a question
	RequestRejected    Kind = "request-rejected"    // to the customer: your request was declined
	RequestWithdrawn   Kind = "request-withdrawn"   // to the customer: your request was withdrawn
	RequestsToConfirm  Kind = "requests-to-confirm" // to an address: requests that wait for its confirmation
	RequestAsk         Kind = "request-ask"         // to a contact: is this request yours?
	RequestAnswered    Kind = "request-answered"    // to sales: what a contact said about a request
	RequestUpdated     Kind = "request-updated"     // to sales: the customer answered, corrected or cancelled
	RequestsOfDomain   Kind = "requests-of-domain"  // to sales: unusually many unconfirmed requests
	RequestLate        Kind = "request-late"        // to its reviewer: a request is late
	RequestLateSales   Kind = "request-late-sales"  // to sales: a request is late
	LicenseKey         Kind = "license-key"         // to the customer: a license key
	LicenseExpiring    Kind = "license-expiring"    // to a contact: the licenses of a customer that expire soon
	RemindersStopped   Kind = "reminders-stopped"   // to sales: a contact unsubscribed from reminders
	LicenseUnreached   Kind = "license-unreached"   // to sales: no contact of the license can be reached
	LicenseNextKey     Kind = "license-next-key"    // to sales: the contract goes on, and the next key is due
	LicenseMoved       Kind = "license-replaced"    // to contacts: a license was replaced, its server ID changed
	LicenseRevoked     Kind = "license-revoked"     // to contacts: a license was revoked
	ContactAdded       Kind = "contact-added"       // to contacts: somebody may speak for the customer from now on
	ContactRemoved     Kind = "contact-removed"     // to contacts, and to who was removed: somebody no longer may
	ErasureAsked       Kind = "erasure-asked"       // to sales: a contact asks to be erased
	ContactUndo        Kind = "contact-undo"        // to nobody: takes a removed contact back
	SignInLink         Kind = "sign-in-link"        // to a contact: the link that signs in to the account
)

// ToSales reports whether messages of the kind go to sales operations rather than to a customer.
func (k Kind) ToSales() bool {
	return k == RequestNew || k == RequestUnconfirmed || k == RequestAnswered || k == RequestUpdated ||
		k == ErasureAsked ||
		k == RequestsOfDomain ||
		k == RequestLateSales || k == LicenseUnreached || k == LicenseNextKey || k == RemindersStopped
}

// ToColleague reports whether messages of the kind go to a colleague rather than to a customer.
func (k Kind) ToColleague() bool { return k == RequestLate }

// ToRequester reports whether messages of the kind go to the address that a request has when they are sent: the
// customer may have corrected it after they were queued.
func (k Kind) ToRequester() bool {
	return k == RequestQuestion || k == RequestRejected || k == RequestWithdrawn
}

// CausedByAnybody reports whether anybody can have messages of the kind sent to somebody: by typing the person's
// address into the form, or a license of the person's company. What the reader thinks of them says nothing about keys
// and reminders.
func (k Kind) CausedByAnybody() bool {
	return k == RequestReceived || k == RequestsToConfirm || k == RequestAsk || k == SignInLink
}

// AboutSignIn reports whether messages of the kind are about a sign-in, which nobody sees but who began it. Nothing is
// kept of them after a day, and what did not arrive is not sent again.
func (k Kind) AboutSignIn() bool { return k == SignInLink }

// AboutLicense reports whether messages of the kind are about a license rather than a request.
func (k Kind) AboutLicense() bool {
	switch k {
	case LicenseKey, LicenseUnreached, LicenseNextKey, LicenseMoved, LicenseRevoked:
		return true
	}
	return false
}

// AboutCustomer reports whether messages of the kind are about a customer rather than a request or a license.
func (k Kind) AboutCustomer() bool {
	return k == LicenseExpiring || k == RemindersStopped || k == ContactAdded || k == ContactRemoved ||
		k == ContactUndo || k == ErasureAsked
}

// ToContacts reports whether a notice of the kind is told to every contact of record.
func (k Kind) ToContacts() bool {
	return k == LicenseMoved || k == LicenseRevoked || k == ContactAdded || k == ContactRemoved
}

// Attachment is a file attached to a message.
type Attachment struct {
	Name        string `json:"name"`
	ContentType string `json:"contentType"`
	Data        []byte `json:"data"`
}

// Message is one mail to one recipient, complete except for the sender's address and the date.
type Message struct {
	// ID is that of the outbox row. It is derived from the cause of the mail, so that one cause makes one mail.
	ID      string  `json:"id"`
	Kind    Kind    `json:"kind"`
	About   string  `json:"about"` // the ID of the request, license or customer
	To      Address `json:"to"`
	ReplyTo Address `json:"replyTo,omitzero"`
	Subject string  `json:"subject"`
	// Greeting is the line that greets the recipient; "" for none. Text and HTML have GreetingSlot in its place, so
	// that the same message greets each of its recipients: see TextBody and HTMLBody.
	Greeting string `json:"greeting,omitempty"`
	Text     string `json:"text"` // lines end with \n
	HTML     string `json:"html"` // lines end with \n
	// Unsubscribe is a mailto: address for List-Unsubscribe (RFC 2369); "" for mails that the recipient asked for.
	Unsubscribe string `json:"unsubscribe,omitempty"`
	// UnsubscribeURL is the https: address that unsubscribes with one click, by a POST (RFC 8058); "" for none.
	UnsubscribeURL string       `json:"unsubscribeURL,omitempty"`
	Attachments    []Attachment `json:"attachments,omitempty"`
	// Attempt is the number of the call to the provider, from 1, which tells the provider's events of one call from
	// those of another; 0 if it is not numbered.
	Attempt int `json:"attempt,omitempty"`
}
