package letter

import (
	"cmp"
	"net/url"
	"strconv"
	"strings"
	"time"

	"marketplace/catalog"
	"marketplace/shared/brand"
	"marketplace/shared/lazyregexp"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/officehours"
	"marketplace/shared/reference"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
)

// Writer writes letters. Its fields are what they say about the vendor.
type Writer struct {
	URL   string       // where customers reach the site (SITE_URL), without a slash at the end
	Sales mail.Address // whom customers write to, and who learns of new requests
	// Packages is where package ZIPs are kept (PACKAGES_URL), without a slash at the end; custom packages are under
	// tailored/. Only letters with keys of licenses that have such packages need it.
	Packages string
	// Reminders says when customers are reminded.
	Reminders reminder.Policy
	// Hours says when the office is open. Deadlines are named in its time zone.
	Hours officehours.Hours
	Brand brand.Brand

	call    Call
	catalog *catalog.Catalog // nil if there is none
}

// product is the product's name.
func (w Writer) product() string { return w.Brand.OrDefault().Product }

// References are the short references by which a letter about licenses names their customer and contracts; those that
// are not known are left out.
type References struct {
	Customer  reference.Reference
	Contracts map[string]reference.Reference // by the contracts' IDs
}

// facts are the references of a license.
func (r References) facts(l license.License) []fact {
	return []fact{{"Customer", string(r.Customer)}, {"Contract", string(r.Contracts[l.Contract])}}
}

// CustomPackageURL returns the address of a custom package; "" if packages have none.
func (w Writer) CustomPackageURL(name string) string {
	if w.Packages == "" {
		return ""
	}
	return w.Packages + "/tailored/" + url.PathEscape(name)
}

// StatusURL returns the private link to the status page of a request.
func (w Writer) StatusURL(r request.Request) string { return w.URL + StatusPath(r) }

// StatusPath returns the path of StatusURL within the site.
func StatusPath(r request.Request) string {
	return "/requests/" + url.PathEscape(r.ID) + "?token=" + url.QueryEscape(r.Token)
}

// ConfirmURL returns the link that confirms a request. Only the email to its address has it: no page, redirect or
// answer shows its secret.
func (w Writer) ConfirmURL(r request.Request) string {
	return w.StatusURL(r) + "&confirm=" + url.QueryEscape(r.Secret)
}

// RenewURL returns the private link with which a contact renews a license of a digest. It names the first of two
// emails, if the second repeats it.
func (w Writer) RenewURL(n notice.Notice, licenseID string) string {
	return w.URL + "/renew/" + url.PathEscape(licenseID) + "?" + digestQuery(n)
}

// StopURL returns the private link with which the reader of a digest unsubscribes from the reminders of the licenses
// that it names: a page with a button, which also takes the POST of a mail program (RFC 8058). It names the first of
// two emails, if the second repeats it.
func (w Writer) StopURL(n notice.Notice) string { return w.URL + StopPath + "?" + digestQuery(n) }

// StopPath is the path of StopURL within the site.
const StopPath = "/reminders/stop"

// digestQuery names a digest and has its secret.
func digestQuery(n notice.Notice) string {
	return url.Values{"mail": {cmp.Or(n.Repeats, n.ID)}, "token": {n.Nonce}}.Encode()
}

// requestURL returns the request form of an edition, filled in for a server. The Community Edition has no form: it
// gets the page on which an edition is chosen.
func (w Writer) requestURL(e license.Edition, server license.Server, loc int64, kind request.Kind) string {
	q := url.Values{"serverId": {string(server)}, "kind": {string(kind)}}
	if loc > 0 {
		q.Set("ncloc", strconv.FormatInt(loc, 10))
	}
	page := "/request"
	if e != license.Community {
		page += "/" + url.PathEscape(string(e))
	}
	return w.URL + page + "?" + q.Encode()
}

// contactSales says how to reach the sales team, quoting what identifies the matter, such as "the reference 01c6…".
func (w Writer) contactSales(quoting string) string {
	return "Reply to this email, or write to " + w.Sales.Email + " quoting " + quoting + "."
}

// instant formats a time for readers, in UTC.
func instant(t time.Time) string { return t.UTC().Format("02 Jan 2006, 15:04 UTC") }

// lastSecond formats the last second in which a license is valid.
func lastSecond(l license.License) string {
	return l.Expiration.End().Add(-time.Second).Format("02 Jan 2006, 15:04:05 UTC")
}

// identifier matches the license and server IDs that a letter repeats: without a dot, since mail programs turn text
// with dots into links.
var identifier = lazyregexp.New(`^[A-Za-z0-9_-]{0,64}$`)

// splitLines returns the lines of what somebody wrote; white space alone has none.
func splitLines(s string) []string {
	if s = strings.TrimSpace(s); s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}
