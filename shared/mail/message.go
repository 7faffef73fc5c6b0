// Package mail holds the messages that the vendor sends and the Sender that delivers them. mail/letter writes them, mail/eml
// turns them into MIME, and mail/ses and mail/outboxdir are the Senders. The outbox in shared/store keeps messages, and
// functions/mailer decides when and how often one is sent.
package mail

import (
	"context"
	"errors"
)

// Kind says what a message is for.
type Kind string

const (
	RequestReceived  Kind = "request-received"  // to the customer: we have your license request
	RequestNew       Kind = "request-new"       // to sales: there is a new license request
	RequestQuestion  Kind = "request-question"  // to the customer: we need something from you
	RequestRejected  Kind = "request-rejected"  // to the customer: your request was declined
	RequestWithdrawn Kind = "request-withdrawn" // to the customer: your request was withdrawn
	LicenseKey       Kind = "license-key"       // to the customer: this is your license key
	LicenseExpiring  Kind = "license-expiring"  // to the customer: your license expires
	LicenseUnreached Kind = "license-unreached" // to sales: no contact of the license can be reached
)

// ToSales reports whether messages of the kind go to sales operations, and not to a customer.
func (k Kind) ToSales() bool { return k == RequestNew || k == LicenseUnreached }

// AboutLicense reports whether messages of the kind are about a license, and not about a request.
func (k Kind) AboutLicense() bool {
	return k == LicenseKey || k == LicenseExpiring || k == LicenseUnreached
}

// Attachment is a file that travels with a message.
type Attachment struct {
	Name        string `json:"name"`
	ContentType string `json:"contentType"`
	Data        []byte `json:"data"`
}

// Message is one mail to one reader, complete but for the sender's own address and the date.
type Message struct {
	ID      string  `json:"id"` // of the outbox row; unique for what the mail is about, so that one cause makes one mail
	Kind    Kind    `json:"kind"`
	About   string  `json:"about"` // the ID of the request or license
	To      Address `json:"to"`
	ReplyTo Address `json:"replyTo,omitzero"`
	Subject string  `json:"subject"`
	// Greeting is the line that greets the recipient; "" for none. Text and HTML have GreetingSlot in its place, so that the
	// same message greets whoever gets it: see TextBody and HTMLBody.
	Greeting string `json:"greeting,omitempty"`
	Text     string `json:"text"` // lines end with \n
	HTML     string `json:"html"` // lines end with \n
	// Unsubscribe is a mailto: or https: address for List-Unsubscribe; "" for mails that the reader asked for.
	Unsubscribe string       `json:"unsubscribe,omitempty"`
	Attachments []Attachment `json:"attachments,omitempty"`
}

// Sender takes messages away. Its methods may be called from several goroutines at once.
type Sender interface {
	// Send takes a message away and returns the ID under which the provider knows it. It does not try again by itself.
	//
	// An error that is ErrThrottled or ErrSetup means that nothing more will be taken for now: stop, keep everything.
	// ErrRejected means that this message will never be taken: do not try it again. Any other error: it may or may not
	// have been taken, try it again later. An error may name addresses: see logging.Error.
	Send(ctx context.Context, m Message) (id string, err error)

	// Quota asks how much the provider takes at present.
	Quota(ctx context.Context) (Quota, error)
}

// Quota is how much a provider takes. The zero Quota has no limit.
type Quota struct {
	PerSecond float64 // messages a second; 0: no limit
	Exhausted bool    // the day's messages are used up
}

var (
	ErrThrottled = errors.New("mail: the provider takes no more for now")
	ErrSetup     = errors.New("mail: the provider takes nothing until somebody sets it right")
	ErrRejected  = errors.New("mail: the provider will not take this message")
)
