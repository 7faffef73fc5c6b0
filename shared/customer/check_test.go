package customer

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"marketplace/shared/fault"
	"marketplace/shared/license"
)

// fields returns the names of the fields that an error is about; it reports an error that says nothing about fields.
func fields(t *testing.T, err error) (names []string) {
	t.Helper()
	if err == nil {
		return nil
	}
	invalid, ok := errors.AsType[*fault.Error](err)
	if !ok || invalid.Kind != fault.Invalid || invalid.Msg == "" || len(invalid.Fields) == 0 {
		t.Fatalf("got %v, want an Invalid fault with fields", err)
	}
	for _, f := range invalid.Fields {
		names = append(names, f.Name)
		if !strings.HasSuffix(f.Msg, ".") || strings.Contains(f.Msg, "%!") {
			t.Errorf("the sentence of %s is %q", f.Name, f.Msg)
		}
	}
	return names
}

func TestCustomerIsRecordedTrimmed(t *testing.T) {
	typed := Customer{ID: "c1", Name: "  Example\u00a0AG ", FormerNames: []string{"Sample", " ", "Sample", "Old "},
		Domains: []string{"@Customer.example", "", "customer.example", "bücher.example"}, Owner: "<ana@vendor.example>",
		Outside: []Outside{{" CRM", "1\u200b2 "}, {}, {"CRM", "12"}}, Notes: " one\r\n\r\n\r\ntwo ",
		Contacts: []Contact{{Name: " Ana ", Email: "Ana <ana@customer.example>", For: []Purpose{Keys, Renewals}}}}
	want := Customer{ID: "c1", Name: "Example AG", FormerNames: []string{"Sample", "Old"},
		Domains: []string{"customer.example", "xn--bcher-kva.example"}, Owner: "ana@vendor.example",
		Outside: []Outside{{"CRM", "12"}}, Notes: "one\n\ntwo",
		Contacts: []Contact{{Name: "Ana", Email: "ana@customer.example"}}}
	got, err := typed.Check()
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if again, err := got.Check(); err != nil || !reflect.DeepEqual(again, got) {
		t.Errorf("got %+v, %v when checked again", again, err)
	}
}

func TestCustomerCheckRefuses(t *testing.T) {
	many := func(n int) []string { return strings.Fields(strings.Repeat("x ", n)) }
	domains, contacts, outside, names := []string{}, []Contact{}, []Outside{}, []string{}
	for n := range many(MaxContacts + 1) {
		mark := string(rune('a'+n%26)) + string(rune('a'+n/26))
		domains, names = append(domains, mark+".example"), append(names, mark)
		contacts = append(contacts, Contact{Email: mark + "@customer.example"})
		outside = append(outside, Outside{"CRM", mark})
	}
	for name, test := range map[string]struct {
		change func(*Customer)
		want   []string
	}{
		"nothing":                {func(*Customer) {}, nil},
		"no name":                {func(c *Customer) { c.Name = " \u200b" }, []string{"name"}},
		"a long name":            {func(c *Customer) { c.Name = strings.Repeat("x", MaxName+1) }, []string{"name"}},
		"an invisible character": {func(c *Customer) { c.Name = "Exa\u200bmple" }, []string{"name"}},
		"a former name of lines": {func(c *Customer) { c.FormerNames = []string{"a\nb"} }, []string{"formerNames"}},
		"many former names":      {func(c *Customer) { c.FormerNames = names[:MaxFormerNames+1] }, []string{"formerNames"}},
		"a public provider":      {func(c *Customer) { c.Domains = []string{"gmail.com"} }, []string{"domains"}},
		"a public suffix":        {func(c *Customer) { c.Domains = []string{"co.uk"} }, []string{"domains"}},
		"many domains":           {func(c *Customer) { c.Domains = domains[:MaxDomains+1] }, []string{"domains"}},
		"most domains":           {func(c *Customer) { c.Domains = domains[:MaxDomains] }, nil},
		"an owner without @":     {func(c *Customer) { c.Owner = "ana" }, []string{"owner"}},
		"half a reference":       {func(c *Customer) { c.Outside = []Outside{{"CRM", ""}} }, []string{"outside"}},
		"many references":        {func(c *Customer) { c.Outside = outside[:MaxOutside+1] }, []string{"outside"}},
		"long notes":             {func(c *Customer) { c.Notes = strings.Repeat("x", MaxNotes+1) }, []string{"notes"}},
		"a contact twice": {func(c *Customer) {
			c.Contacts = []Contact{{Email: "a@bücher.example"}, {Email: "A@xn--bcher-kva.example"}}
		}, []string{"contacts"}},
		"a contact without @": {func(c *Customer) { c.Contacts = []Contact{{Email: "ana"}} }, []string{"contacts"}},
		"many contacts":       {func(c *Customer) { c.Contacts = contacts }, []string{"contacts"}},
		"most contacts":       {func(c *Customer) { c.Contacts = contacts[:MaxContacts] }, nil},
		"everything":          {func(c *Customer) { *c = Customer{Owner: "x", Domains: []string{"x"}} }, []string{"name", "domains", "owner"}},
	} {
		c := Customer{Name: "Example AG"}
		test.change(&c)
		_, err := c.Check()
		if got := fields(t, err); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v, want errors of %v", name, err, test.want)
		}
	}
}

func TestContactCheck(t *testing.T) {
	got, err := Contact{Email: " ana@customer.example, ", Name: "Ana\tExample", Partner: " Reseller ", For: []Purpose{Keys, Keys},
		Instances: []string{""}}.Check()
	want := Contact{Email: "ana@customer.example", Name: "Ana Example", Partner: "Reseller", For: []Purpose{Keys}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	_, err = Contact{Email: "ana@", Name: "a\nb", Partner: strings.Repeat("x", MaxName+1), For: []Purpose{"all"}}.Check()
	if got, want := fields(t, err), []string{"email", "name", "partner", "for"}; !slices.Equal(got, want) {
		t.Errorf("got errors of %v, want %v", got, want)
	}
	if _, err = (Contact{Name: "Ana"}).Check(); !slices.Equal(fields(t, err), []string{"email"}) {
		t.Errorf("got %v without an address", err)
	}
}

func TestContractCheck(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Contract)
		want   []string
	}{
		"nothing":           {func(*Contract) {}, nil},
		"one day":           {func(c *Contract) { c.Last = c.First }, nil},
		"no staging":        {func(c *Contract) { c.Staging, c.Terms = 0, Terms{Edition: license.Developer, MaxLoc: 1} }, nil},
		"staging alone":     {func(c *Contract) { c.Production = 0 }, nil},
		"no edition":        {func(c *Contract) { c.Edition = "" }, []string{"edition"}},
		"community":         {func(c *Contract) { c.Edition = license.Community }, []string{"edition"}},
		"no lines of code":  {func(c *Contract) { c.MaxLoc = 0 }, []string{"maxLoc"}},
		"a strange key":     {func(c *Contract) { c.Languages = []string{"a b"} }, []string{"languages"}},
		"less than none":    {func(c *Contract) { c.Production = -1 }, []string{"production"}},
		"less staging":      {func(c *Contract) { c.Staging = -1 }, []string{"staging"}},
		"too much staging":  {func(c *Contract) { c.Staging = maxInstances + 1 }, []string{"staging"}},
		"nothing at all":    {func(c *Contract) { c.Production, c.Staging = 0, 0 }, []string{"production"}},
		"staging barred":    {func(c *Contract) { c.Edition, c.Support = license.Developer, false }, []string{"staging"}},
		"no days":           {func(c *Contract) { c.First, c.Last = license.Date{}, license.Date{} }, []string{"first", "last"}},
		"last before first": {func(c *Contract) { c.Last = c.First.AddDays(-1) }, []string{"last"}},
		"renews itself":     {func(c *Contract) { c.Renews = c.ID }, []string{"renews"}},
		"a long reason":     {func(c *Contract) { c.EndedReason = strings.Repeat("x", MaxReason+1) }, []string{"endedReason"}},
	} {
		c := contract("k1", "", "2026-01-01", "2026-12-31", 1, 1)
		test.change(&c)
		_, err := c.Check()
		if got := fields(t, err); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v, want errors of %v", name, err, test.want)
		}
	}
	c := contract("k1", "", "2026-01-01", "2026-12-31", 1, 1)
	c.Languages = []string{"rpg", "abap", "rpg"}
	if got, err := c.Check(); err != nil || !slices.Equal(got.Languages, []string{"abap", "rpg"}) || c.Languages[0] != "rpg" {
		t.Errorf("got %v, %v, want each language once, and the argument as it was", got.Languages, err)
	}
}

func TestFormerNamesKeepTheNewest(t *testing.T) {
	c := Customer{Name: "Now"}
	for n := range MaxFormerNames + 2 {
		c.AddFormerName(strings.Repeat("x", n+1))
	}
	for _, name := range []string{"", "Now", "xxx"} {
		c.AddFormerName(name)
	}
	if n := len(c.FormerNames); n != MaxFormerNames || c.FormerNames[n-1] != "xxx" || c.FormerNames[0] != "xxxx" {
		t.Errorf("got %d former names, from %q to %q", n, c.FormerNames[0], c.FormerNames[n-1])
	}
}
