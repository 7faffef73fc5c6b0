package license

import (
	"strings"

	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/lazyregexp"
)

// The forms of a server ID, by the era of the server that made it (client-contract.md §4). Case matters.
var (
	serverDigits = lazyregexp.New(`^\d{14}$`)
	serverHex    = lazyregexp.New(`^1[0-9a-f]{14}$`)
	serverUUID   = lazyregexp.New(`^[A-Za-z0-9_-]{20}$`)
	serverPrefix = lazyregexp.New(`^[0-9A-F]{8}-`)
)

// datasetIndex is where the dataset part of a prefixed server ID begins: behind the dash at index 8.
const datasetIndex = 9

// Server is the ID of a customer's server, as the server shows it: 14, 15, 20, 24 or 29 characters of ASCII.
type Server string

// ParseServer takes a server ID of any era. White space around it is dropped; what no server ever made is refused with
// an Invalid error whose sentence is for the customer.
func ParseServer(s string) (Server, error) {
	s = strings.TrimSpace(input.StripInvisible(s))
	if s == "" {
		return "", fault.New(fault.Invalid, "Enter the server ID.")
	}
	dataset := s
	if serverPrefix().MatchString(s) && (len(s) == 24 || len(s) == 29) {
		dataset = s[datasetIndex:]
	} else if serverDigits().MatchString(s) {
		return Server(s), nil
	}
	if serverHex().MatchString(dataset) || serverUUID().MatchString(dataset) {
		return Server(s), nil
	}
	switch n := len([]rune(s)); n {
	case 14, 15, 20, 24, 29:
		return "", fault.New(fault.Invalid, "This is not a server ID: the length is right, but it contains invalid characters. Copy it again from the server's System page.")
	default:
		return "", fault.New(fault.Invalid, "This is not a server ID: it has %d characters, but server IDs have 14, 15, 20, 24 or 29. Copy it again from the server's System page.", n)
	}
}

// Dataset is the part of the ID that stays when the server is upgraded or its database moves to another address: a
// returning customer is recognised by it. An ID without a prefix is all dataset.
func (s Server) Dataset() string {
	if (len(s) == 24 || len(s) == 29) && s[datasetIndex-1] == '-' {
		return string(s[datasetIndex:])
	}
	return string(s)
}
