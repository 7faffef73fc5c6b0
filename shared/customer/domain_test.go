package customer

import (
	"strings"
	"testing"

	"marketplace/shared/fault"
)

func TestCheckDomain(t *testing.T) {
	for domain, problem := range map[string]string{
		"customer.example": "", "example.com": "", "mail.example.co.uk": "", "xn--bcher-kva.example": "", "customer.github.io": "",
		"": "Enter a mail domain", "com": "not a mail domain", "example": "not a mail domain", "exa mple.com": "not a mail domain",
		"co.uk": "public suffix", "github.io": "public suffix", "com.au": "public suffix",
		"gmail.com": "public mail provider", "gmx.de": "public mail provider", "yahoo.co.uk": "public mail provider",
		"Example.com": "Write", "bücher.example": "Write", "example.com.": "not a mail domain", "@example.com": "not a mail domain",
		"ana@example.com": "not a mail domain", "127.0.0.1": "not a mail domain", "-a.example": "not a mail domain",
	} {
		err := CheckDomain(domain)
		switch {
		case problem == "" && err != nil, problem != "" && err == nil:
			t.Errorf("CheckDomain(%q) = %v, want %q", domain, err, problem)
		case err != nil && (fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Sentence(err), problem)):
			t.Errorf("CheckDomain(%q) = %v, want an Invalid fault with %q", domain, err, problem)
		}
	}
}

func TestParseDomainReadsWhatPeopleType(t *testing.T) {
	for typed, want := range map[string]string{
		"customer.example": "customer.example", " Customer.Example ": "customer.example", "@customer.example": "customer.example",
		"ana@customer.example": "customer.example", "customer.example.": "customer.example", "bücher.example": "xn--bcher-kva.example",
		"Ana <ana@customer.example>": "customer.example", "custo\u200bmer.example": "customer.example",
	} {
		if got, err := ParseDomain(typed); got != want || err != nil {
			t.Errorf("ParseDomain(%q) = %q, %v, want %q", typed, got, err, want)
		}
	}
	for _, typed := range []string{"", "@", "gmail.com", "ana@GMAIL.com", "co.uk", "x"} {
		if got, err := ParseDomain(typed); err == nil {
			t.Errorf("ParseDomain(%q) = %q, want an error", typed, got)
		}
	}
}

func TestDomainOf(t *testing.T) {
	for email, want := range map[string]string{
		"ana@customer.example": "customer.example", "Ana@BÜCHER.example": "xn--bcher-kva.example", "ana": "", "": "", "ana@": "",
	} {
		if got := DomainOf(email); got != want {
			t.Errorf("DomainOf(%q) = %q, want %q", email, got, want)
		}
	}
}
