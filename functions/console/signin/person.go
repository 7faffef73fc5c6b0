package signin

import (
	"context"
	"encoding/json"
	"net/mail"
	"strings"
	"unicode"

	"marketplace/shared/fault"
)

// Role is what a person may do. Each role may do all that those before it may, so roles can be compared.
type Role uint8

const (
	NoRole Role = iota // may see nothing
	Viewer             // sees everything, changes nothing
	Sales              // works on requests and licenses
	Admin              // may do all that sales may
)

var roleNames = [...]string{NoRole: "", Viewer: "viewer", Sales: "sales", Admin: "admin"}

// String is the role's name, as the provider's claim has it; "" for none.
func (r Role) String() string {
	if int(r) < len(roleNames) {
		return roleNames[r]
	}
	return ""
}

// roleNamed is the role of a name; NoRole for any name that is none.
func roleNamed(name string) Role {
	for r, have := range roleNames {
		if have == name {
			return Role(r)
		}
	}
	return NoRole
}

// Person is who is signed in.
type Person struct {
	Email string // verified by the provider; lower case
	Name  string // one line, at most 100 characters; the e-mail address where the provider has no name
	Role  Role
}

type personKey struct{}

// PersonOf is who makes the request; the zero Person, with NoRole, outside of what Require lets in.
func PersonOf(ctx context.Context) Person {
	p, _ := ctx.Value(personKey{}).(Person)
	return p
}

// maxEmail is how long an address can be, in bytes (RFC 5321 §4.5.3.1.3, without the brackets).
const maxEmail = 254

// personOf makes a person of the claims in an ID token (OpenID Connect Core §5.1). Who has an address that nobody
// verified, or no role, is refused.
func personOf(claims map[string]json.RawMessage, rolesClaim string) (Person, error) {
	p := Person{Email: strings.ToLower(text(claims["email"])), Role: highestRole(claims[rolesClaim])}
	address, err := mail.ParseAddress(p.Email)
	if err != nil || address.Address != p.Email || len(p.Email) > maxEmail {
		return Person{}, unproven("the ID token has no e-mail address", nil)
	}
	// Cognito has been seen to write this boolean as a string.
	if verified := strings.Trim(string(claims["email_verified"]), `"`); verified != "true" {
		return Person{}, &refusal{
			err:   fault.New(fault.Forbidden, "The sign-in service has not verified the e-mail address %s yet. Verify it there, then sign in again.", p.Email),
			title: "Your e-mail address is not verified", reason: "e-mail address not verified", signOut: asSomebodyElse,
		}
	}
	if p.Role == NoRole {
		return Person{}, &refusal{
			err:   fault.New(fault.Forbidden, "You signed in as %s, who has no role here yet. Ask an administrator for one (viewer, sales or admin), then sign in again.", p.Email),
			title: "You have no role in the console", reason: "no role", signOut: asSomebodyElse,
		}
	}
	p.Name = oneLine(text(claims["name"]))
	if p.Name == "" {
		p.Name = oneLine(text(claims["given_name"]) + " " + text(claims["family_name"]))
	}
	if p.Name == "" {
		p.Name = p.Email
	}
	return p, nil
}

// text is a claim that is a string; "" for any other.
func text(claim json.RawMessage) string {
	var s string
	if json.Unmarshal(claim, &s) != nil {
		return ""
	}
	return s
}

// highestRole is the highest role that a claim names: a list of names, or one name. Names of other things are passed over.
func highestRole(claim json.RawMessage) (highest Role) {
	var names []string
	if json.Unmarshal(claim, &names) != nil {
		names = []string{text(claim)}
	}
	for _, name := range names {
		highest = max(highest, roleNamed(name))
	}
	return highest
}

// oneLine is a name without what is not seen, at most 100 characters long.
func oneLine(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, name)
	name = strings.Join(strings.Fields(name), " ")
	if runes := []rune(name); len(runes) > 100 {
		name = string(runes[:100])
	}
	return name
}
