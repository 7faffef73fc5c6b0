package mail

import "marketplace/shared/lazyregexp"

// secretInLink matches a secret with the name of its parameter, also in an address that is part of another one.
var secretInLink = lazyregexp.New(`(token|confirm)(=|%3D|&#61;)[^\s"'<>&#]+`)

// WithoutSecrets returns the message as somebody other than its recipient may see it: "…" stands for the secrets of
// private links. Attachments have none, and are left as they are.
func (m Message) WithoutSecrets() Message {
	for _, part := range []*string{&m.Subject, &m.Greeting, &m.Text, &m.HTML, &m.Unsubscribe, &m.UnsubscribeURL} {
		*part = secretInLink().ReplaceAllString(*part, "${1}${2}…")
	}
	return m
}
