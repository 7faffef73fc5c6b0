package input

import (
	"net/url"
	"strings"
)

// Mailto returns the address of a mailto: link, with a subject unless it is empty; "" for an address that Wire refuses.
// Whatever a mailbox has in its name stays part of the name (RFC 6068 §2): no ? begins a header, no % hides a
// character.
func Mailto(address, subject string) string {
	wire, err := Wire(address)
	if err != nil {
		return ""
	}
	local, domain := wire[:strings.LastIndexByte(wire, '@')], wire[strings.LastIndexByte(wire, '@'):]
	to := "mailto:" + escaped(local) + domain
	if subject != "" {
		to += "?subject=" + escaped(subject)
	}
	return to
}

// escaped leaves nothing but letters, digits and "-_.~" as it is; a space is %20 and no +, which RFC 6068 does not
// know.
func escaped(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
