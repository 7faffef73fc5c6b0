package license

import (
	"strings"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/lazyregexp"
)

// Formats of a server ID, by the version of the server that created it (client-contract.md §4). They are
// case-sensitive.
var (
	serverDigits = lazyregexp.New(`^\d{14}$`)
	serverHex    = lazyregexp.New(`^1[0-9a-f]{14}$`)
	serverUUID   = lazyregexp.New(`^[A-Za-z0-9_-]{20}$`)
	serverPrefix = lazyregexp.New(`^[0-9A-F]{8}-`)
)

// datasetIndex is the index of the dataset part of a prefixed server ID, after the dash at index 8.
const datasetIndex = 9

// Server is the ID of a customer's server, as the server shows it: 14, 15, 20, 24 or 29 ASCII characters.
type Server string

// ParseServer reads a server ID in any of the formats and ignores white space around it. Any other ID gives an Invalid
// error with a sentence for the customer.
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
		return "", fault.New(fault.Invalid,
			"This is not a server ID: the length is right, but it contains invalid characters. "+
				"Copy it again from the server's System page.")
	default:
		return "", fault.New(fault.Invalid,
			"This is not a server ID: it has %d characters, but server IDs have 14, 15, 20, 24 or 29. "+
				"Copy it again from the server's System page.", n)
	}
}

// Dataset returns the part of the ID that stays the same when the server is upgraded or its database moves to another
// address. It identifies a returning customer. For an ID without a prefix it is the whole ID.
func (s Server) Dataset() string {
	if (len(s) == 24 || len(s) == 29) && s[datasetIndex-1] == '-' {
		return string(s[datasetIndex:])
	}
	return string(s)
}

// Ends returns the first and the last four characters of the ID, as letters name a server that is not on record:
// whoever typed it could have made a message of the whole.
func (s Server) Ends() string {
	const shown = 4
	if len(s) <= 2*shown {
		return "…"
	}
	return string(s[:shown] + "…" + s[len(s)-shown:])
}

// ReadsAsDate reports whether SonarQube 6.7 and later throws the ID away when it starts, because it reads as a date
// (client-contract.md §4). A key for it never works there; it may still be the old ID of a server.
func (s Server) ReadsAsDate() bool {
	if len(s) < 14 || len(s) > 15 || strings.Trim(string(s), "0123456789") != "" {
		return false
	}
	_, err := time.Parse("20060102150405", string(s[:14]))
	return len(s) == 14 || err == nil
}
