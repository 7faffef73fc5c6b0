// Package brand is how the vendor looks: the names, the colors and the addresses that pages and letters show. It comes
// from the configuration, so that nothing that people read names the vendor or the product by itself.
package brand

import (
	"cmp"
	"errors"
	"net/url"
	"strings"
)

// Brand is a vendor's look. Its zero value is the built-in one. Pages and letters use OrDefault.
type Brand struct {
	Vendor  string // the company, such as "Acme Analytics"; "" leaves it out
	Product string // the product, such as "SonarQube"
	// Color is the color of links and buttons; the others follow from it. Its zero value keeps the built-in ones.
	Color Color
	// LogoURL is the address of the logo: https, or a path of the site. "" is the built-in mark.
	LogoURL string
	// SupportEmail and SupportURL are where customers get technical help; "" for none.
	SupportEmail string
	SupportURL   string
	// TermsURL is the vendor's own terms and conditions; "" is the site's page.
	TermsURL string
}

// DefaultProduct is the name of the product unless the configuration has another.
const DefaultProduct = "SonarQube"

// OrDefault returns the brand with a name of the product.
func (b Brand) OrDefault() Brand {
	b.Product = cmp.Or(b.Product, DefaultProduct)
	return b
}

// HasSupport reports whether customers get technical help somewhere else than from sales.
func (b Brand) HasSupport() bool { return b.SupportEmail != "" || b.SupportURL != "" }

// ImageSource returns the origin that browsers fetch the logo from, as a Content-Security-Policy names it; "" if it is
// the site itself.
func (b Brand) ImageSource() string {
	u, err := url.Parse(b.LogoURL)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// CheckName refuses names that do not fit a line of a page or the subject of an email.
func CheckName(name string) error {
	if len(name) > 60 {
		return errors.New("must have at most 60 bytes")
	}
	if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || strings.ContainsRune("<>\"\\\u007f", r) }) {
		return errors.New("must have no control characters, quotes, < and >")
	}
	return nil
}

// CheckLogo refuses addresses of a logo that browsers would not load on an https page.
func CheckLogo(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return err
	case u.Scheme == "https" && u.Host != "" && !strings.ContainsAny(u.Host, ";, '"):
		return nil
	case u.Scheme == "" && u.Host == "" && strings.HasPrefix(address, "/") && !strings.HasPrefix(address, "//"):
		return nil
	}
	return errors.New("must be an https URL or a path of the site")
}
