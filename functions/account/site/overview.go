package site

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"marketplace/catalog"
	"marketplace/functions/account/signin"
	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/web"
)

// Home is the address of the overview.
const Home = signin.Home

// overviewView is the data of overview.html.
type overviewView struct {
	Customer   customer.Customer
	Several    bool     // the person is a contact of several customers
	Restricted bool     // the person speaks for some installations alone
	Former     []string // names of customers that were merged into it
	Cards      []card
	Retired    []card
	Query      string // what was searched
	Searchable bool   // there are so many that a search helps
	Total      int    // installations in use
	Shown      string // which of how many; "" if all are shown
	// Previous and Next are the addresses of the pages around; "" for none.
	Previous, Next string
}

// perPage is how many installations a page shows, with their staging.
const perPage = 25

// searchFrom is from how many installations on the page offers a search.
const searchFrom = 8

// overview shows everything of one's customer.
func (s *site) overview(w http.ResponseWriter, r *http.Request) error {
	of, visit := seen(r), signin.VisitOf(r.Context())
	query := strings.TrimSpace(r.URL.Query().Get("q"))
	v := overviewView{Customer: of.Customer, Several: visit.Several, Restricted: !of.Whole, Query: query,
		Searchable: len(of.Instances) >= searchFrom}
	for _, c := range of.Merged {
		if c.Name != of.Customer.Name {
			v.Former = append(v.Former, c.Name)
		}
	}
	var used, retired []customer.Instance
	for _, i := range of.Instances {
		switch {
		case query != "" && !matches(i, query):
		case i.InUse():
			used = append(used, i)
		default:
			retired = append(retired, i)
		}
	}
	s.sort(used)
	v.Total = len(used)
	used = v.page(used, r.URL.Query().Get("page"))
	retired = retired[:min(perPage, len(retired))]
	records, c, err := s.described(r, slices.Concat(used, retired))
	if err != nil {
		return err
	}
	v.Cards, v.Retired = s.cards(of, used, records, c), s.cards(of, retired, records, c)
	return s.render(w, r, http.StatusOK, "overview.html", web.View{Title: "My licenses", Section: inOverview, Data: v})
}

// page returns the installations of a page, and notes which they are and what is around them.
func (v *overviewView) page(list []customer.Instance, number string) []customer.Instance {
	last := max(0, (len(list)-1)/perPage)
	n, err := strconv.Atoi(number)
	if n--; err != nil || n < 0 || n > last {
		n = 0
	}
	address := func(n int) string {
		q := url.Values{"page": {strconv.Itoa(n + 1)}}
		if v.Query != "" {
			q.Set("q", v.Query)
		}
		return Home + "?" + q.Encode()
	}
	from, to := n*perPage, min((n+1)*perPage, len(list))
	if last > 0 {
		v.Shown = fmt.Sprintf("%d to %d of %d", from+1, to, len(list))
	}
	if n > 0 {
		v.Previous = address(n - 1)
	}
	if n < last {
		v.Next = address(n + 1)
	}
	return list[from:to]
}

// matches reports whether an installation has or had a server ID with a text in it, whatever the case.
func matches(i customer.Instance, query string) bool {
	return slices.ContainsFunc(i.Servers, func(s customer.ServerID) bool {
		return strings.Contains(strings.ToLower(string(s.Server)), strings.ToLower(query))
	})
}

// sort puts production before its staging, and of productions those first whose license ends first.
func (s *site) sort(list []customer.Instance) {
	ends := map[string]license.Date{}
	for _, i := range list {
		if l, ok := i.Current(s.today()); ok {
			ends[i.ID] = l.Expiration
		}
	}
	group := func(i customer.Instance) (id string, staging bool) {
		if i.Environment == request.StagingUse {
			if _, ok := ends[i.Production]; ok {
				return i.Production, true
			}
			return i.ID, true
		}
		return i.ID, false
	}
	slices.SortStableFunc(list, func(a, b customer.Instance) int {
		ga, sa := group(a)
		gb, sb := group(b)
		switch {
		case ga == gb && sa != sb:
			if sa {
				return 1
			}
			return -1
		case ends[ga] != ends[gb]:
			if ends[ga].IsZero() || !ends[gb].IsZero() && ends[gb].Before(ends[ga]) {
				return 1
			}
			return -1
		}
		return strings.Compare(ga, gb)
	})
}

// described reads the licenses in force of installations, and the catalog.
func (s *site) described(r *http.Request, list []customer.Instance) (records map[string]license.License,
	c *catalog.Catalog, err error) {
	var ids []string
	for _, i := range list {
		if l, ok := i.Current(s.today()); ok {
			ids = append(ids, l.ID)
		}
	}
	var found []store.LicenseRecord
	g, ctx := errgroup.WithContext(r.Context())
	g.Go(func() (err error) { found, err = s.store.Licenses(ctx, ids...); return err })
	g.Go(func() (err error) { c, err = s.catalog(); return err })
	if err := g.Wait(); err != nil {
		return nil, nil, err
	}
	records = map[string]license.License{}
	for _, f := range found {
		records[f.License.ID] = f.License
	}
	return records, c, nil
}
