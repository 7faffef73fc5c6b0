package customer

import (
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"marketplace/shared/fault"
	"marketplace/shared/input"
)

// DomainOf returns the domain of an email address as input.Mailbox writes it; "" if there is none.
func DomainOf(email string) string {
	mailbox := input.Mailbox(email)
	at := strings.LastIndexByte(mailbox, '@')
	if at < 0 {
		return ""
	}
	return mailbox[at+1:]
}

// ParseDomain reads a mail domain as people type it, also as an address or with an @ before it, and returns it as
// input.Mailbox writes it. Its errors are those of CheckDomain.
func ParseDomain(typed string, public ...string) (string, error) {
	domain := strings.TrimSpace(input.StripInvisible(typed))
	domain = domain[strings.LastIndexByte(domain, '@')+1:]
	domain = DomainOf("postmaster@" + strings.Trim(domain, "<>.,; "))
	return domain, CheckDomain(domain, public...)
}

// CheckDomain returns an Invalid fault with a sentence unless the domain can be one customer's: an existing form of a
// domain, written as input.Mailbox does, and neither a public suffix (of the Public Suffix List, as of
// publicsuffix.List) nor a domain where everybody can have an address: a public mail provider's (input.PublicProvider),
// or one of public, which the vendor configured.
func CheckDomain(domain string, public ...string) error {
	if domain == "" {
		return fault.New(fault.Invalid, "Enter a mail domain, for example example.com.")
	}
	const local = "postmaster@"
	if wire, err := input.Wire(local + domain); err != nil {
		return fault.New(fault.Invalid, "%s is not a mail domain. Enter one like example.com.", input.Quote(domain))
	} else if wire != local+domain {
		return fault.New(fault.Invalid, "Write the mail domain as %s.", input.Quote(strings.TrimPrefix(wire, local)))
	}
	if suffix, _ := publicsuffix.PublicSuffix(domain); suffix == domain {
		return fault.New(fault.Invalid, "%s is a public suffix: many organizations have domains under it. "+
			"Enter the whole domain, such as customer.%s.", input.Quote(domain), domain)
	}
	if input.PublicProvider(domain) || slices.Contains(public, domain) {
		return fault.New(fault.Invalid, "%s is a public mail provider, where anyone can have an address. "+
			"Add the person as a contact instead.", input.Quote(domain))
	}
	return nil
}
