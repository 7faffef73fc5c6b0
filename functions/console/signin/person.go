package signin

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/mail"
	"strings"
	"unicode"

	"marketplace/shared/fault"
)

// Role is what a person may do. Each role includes the ones before it, so roles can be compared.
type Role uint8

const (
	NoRole Role = iota // sees nothing
	Viewer             // sees everything, changes nothing
	Sales              // works on requests and licenses
	Admin              // what Sales may, and merges customers, erases people, sees the audit, changes settings
)

var roleNames = [...]string{NoRole: "", Viewer: "viewer", Sales: "sales", Admin: "admin"}

// String returns the role's name in the provider's claim; "" for NoRole.
func (r Role) String() string {
	if int(r) < len(roleNames) {
		return roleNames[r]
	}
	return ""
}

// roleNamed returns the role of a name; NoRole for an unknown name.
func roleNamed(name string) Role {
	for r, have := range roleNames {
		if have == name {
			return Role(r)
		}
	}
	return NoRole
}

// Person is somebody who is signed in.
type Person struct {
	Email string // verified by the provider; lower case
	Name  string // one line, at most 100 characters; the email address if the provider knows no name
	Role  Role
}

// LogValue names the person in the log lines of what sales operations do, as "sam at vendor.example": whoever reads the
// log has to know, and shared/logging redacts the addresses of everybody else.
func (p Person) LogValue() slog.Value {
	return slog.StringValue(strings.ReplaceAll(p.Email, "@", " at "))
}

type personKey struct{}

// PersonOf returns who makes the request; the zero Person, with NoRole, outside handlers that Require wraps.
func PersonOf(ctx context.Context) Person {
	p, _ := ctx.Value(personKey{}).(Person)
	return p
}

// maxEmail is the longest email address, in bytes (RFC 5321 §4.5.3.1.3, without the brackets).
const maxEmail = 254

// personOf returns the person that the claims in an ID token name (OpenID Connect Core §5.1). It refuses people
// without a verified email address or without a role.
func personOf(claims map[string]json.RawMessage, rolesClaim string) (Person, error) {
	p := Person{Email: strings.ToLower(text(claims["email"])), Role: highestRole(claims[rolesClaim])}
	address, err := mail.ParseAddress(p.Email)
	if err != nil || address.Address != p.Email || len(p.Email) > maxEmail {
		return Person{}, unproven("the ID token has no email address", nil)
	}
	// Cognito sometimes writes this boolean as a string.
	if verified := strings.Trim(string(claims["email_verified"]), `"`); verified != "true" {
		return Person{}, &refusal{
			err: fault.New(fault.Forbidden, "The sign-in service has not verified your email address %s yet. "+
				"Verify it there, then sign in again.", p.Email),
			title: "Verify your email address", reason: "email address not verified", signOut: asSomeoneElse,
		}
	}
	if p.Role == NoRole {
		return Person{}, &refusal{
			err: fault.New(fault.Forbidden, "You signed in as %s, which has no role in the console yet. "+
				"Ask an administrator for a role (viewer, sales or admin), then sign in again.", p.Email),
			title: "You do not have access yet", reason: "no role", who: p.Email, signOut: asSomeoneElse,
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

// text returns a claim that is a string; "" for any other.
func text(claim json.RawMessage) string {
	var s string
	if json.Unmarshal(claim, &s) != nil {
		return ""
	}
	return s
}

// highestRole returns the highest role in a claim, which is a list of names or one name. It ignores unknown names.
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

// oneLine returns a name without invisible characters, at most 100 characters long.
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
