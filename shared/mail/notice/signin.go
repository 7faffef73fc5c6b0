package notice

import (
	"time"

	"marketplace/shared/license"
	"marketplace/shared/mail"
)

// Link is what SignInLink is, of all that there is about a sign-in.
const Link = "link"

// SignInLink sends the link of a sign-in to the address that somebody typed, if that is a contact's: the mailer looks
// when it sends. So an unknown address is answered like a known one, and gets no email. nonce is the secret of the
// link, and until is until when somebody may still wait for it.
func SignInLink(signIn, email, nonce string, until time.Time) Notice {
	return Notice{
		ID: id(signIn, Link), Kind: mail.SignInLink, About: signIn, To: license.Contact{Email: email},
		Customer: Customer(email), Nonce: nonce, Deadline: until,
	}
}

// SignIn is what is on record about the address of a SignInLink.
type SignIn struct {
	Contact bool // it is that of a contact
	// From is from when on the contact may sign in, if none of those with the address may yet; else zero.
	From time.Time
}

// pointlessSignIn says why the link of a sign-in is not sent.
func (n Notice) pointlessSignIn(r Records) string {
	switch {
	case !r.SignIn.Contact:
		return "the address is not a contact's"
	case r.Now.After(n.Deadline):
		return "nobody waits for it any more"
	}
	return ""
}
