// Package mail holds the messages that the vendor sends: what they say (templates, as text and as HTML), how they look on
// the wire (MIME), and the Sender that takes them away. When a message is sent and how often is not its affair: the
// outbox in shared/store keeps messages, functions/mailer sends them.
package mail

import (
	"context"
	"errors"
)

// Kind says what a message is for.
type Kind string

const (
	RequestReceived Kind = "request-received" // to the customer: we have your license request
	RequestNew      Kind = "request-new"      // to sales: there is a new license request
	LicenseExpiring Kind = "license-expiring" // to the customer: your license expires
)

// Address is a mailbox. Neither part holds line breaks or other control characters.
type Address struct {
	Name  string `json:"name,omitempty"`
	Email string `json:"email"`
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
	Text    string  `json:"text"`
	HTML    string  `json:"html"`
	// Unsubscribe is a mailto: or https: address for List-Unsubscribe; "" for mails that the reader asked for.
	Unsubscribe string       `json:"unsubscribe,omitempty"`
	Attachments []Attachment `json:"attachments,omitempty"`
}

// Sender takes a message away. It returns the ID under which the carrier knows it. A Sender may be called from several
// goroutines at once.
//
// An error that is ErrThrottled means that nothing more will be taken for now: stop, keep everything. ErrRejected means
// that this message will never be taken: do not try it again. Any other error: it may or may not have been taken, try it
// again later.
type Sender interface {
	Send(ctx context.Context, m Message) (id string, err error)
}

var (
	ErrThrottled = errors.New("mail: the carrier takes no more for now")
	ErrRejected  = errors.New("mail: the carrier will not take this message")
)
