package site

import (
	"net/http"
	"net/url"
	"strings"

	"marketplace/catalog"
	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/web"
)

// searchScript searches while the visitor types.
const searchScript = "search.js"

// maxTyped is how much of a search is shown again, in characters.
const maxTyped = 60

// searchView is the search for the edition that brings a language, a plugin or a feature.
type searchView struct {
	Typed   string
	Keep    []parameter // of the visitor's server, for the form
	Hits    []searchHit
	Suggest string // another name to search for; "" for none
	Query   string // of links
}

// SuggestLink returns the address of the search for Suggest.
func (v searchView) SuggestLink() string {
	return "/editions" + joinQuery(v.Query, url.Values{"q": {v.Suggest}}) + "#search"
}

// parameter is a hidden field of a form.
type parameter struct{ Name, Value string }

// searchHit is what a search found.
type searchHit struct {
	catalog.Hit
	What string      // "Language"
	From string      // key of the smallest edition that has it, if only editions with a license have it
	Own  *ownEdition // the visitor's edition; nil if it is not known
	Has  bool        // Own has it
}

// newSearchView searches for what a link asks for.
func newSearchView(c *catalog.Catalog, query url.Values) searchView {
	typed := typedQuery(query)
	v := searchView{Typed: typed, Keep: serverFields(query), Query: linkQuery(query)}
	own := newOwnEdition(c, sourceEdition(query))
	for _, h := range c.Search(typed) {
		hit := searchHit{Hit: h, What: strings.ToUpper(h.Kind[:1]) + h.Kind[1:], Own: own}
		if h.Commercial() {
			hit.From = h.Editions[0].Key
		}
		for _, e := range h.Editions {
			hit.Has = hit.Has || own != nil && e.Key == own.Key
		}
		v.Hits = append(v.Hits, hit)
	}
	if len(v.Hits) == 0 {
		v.Suggest = c.Suggest(typed)
	}
	return v
}

// typedQuery returns what was searched for, on one line.
func typedQuery(query url.Values) string {
	typed := strings.Join(strings.Fields(input.StripInvisible(strings.ToValidUTF8(query.Get("q"), ""))), " ")
	if runes := []rune(typed); len(runes) > maxTyped {
		typed = string(runes[:maxTyped])
	}
	return typed
}

// serverFields returns what a link says about the server, as hidden fields.
func serverFields(query url.Values) (list []parameter) {
	known := serverParameters(query)
	for _, name := range []string{"serverId", "ncloc", "sourceEdition"} {
		if known[name] != "" {
			list = append(list, parameter{name, known[name]})
		}
	}
	return list
}

// foundItem is a result of the API's search.
type foundItem struct {
	Kind        string         `json:"kind"` // language, feature, plugin or edition
	Key         string         `json:"key"`
	Name        string         `json:"name"`
	Description string         `json:"description,omitempty"`
	Plugin      string         `json:"plugin,omitempty"` // key of the plugin with it
	Sentence    string         `json:"sentence"`         // which editions have it, for people
	OnlyEdition bool           `json:"onlyWithEdition"`  // it comes only with an edition that needs a license
	Editions    []foundEdition `json:"editions"`         // those that have it, from the smallest to the largest
}

type foundEdition struct {
	Key               string `json:"key"`
	Name              string `json:"name"`
	HomeURL           string `json:"homeUrl"`
	LicenseRequestURL string `json:"licenseRequestUrl"` // "" if the edition needs no license
}

// foundItems is the answer of the API's search.
type foundItems struct {
	Query   string      `json:"query"`
	Results []foundItem `json:"results"`
	Suggest string      `json:"suggestion,omitempty"` // a name to search for instead
}

var errNoQuery = fault.New(fault.Invalid, "Say what to search for, for example ?q=COBOL.")

// apiSearch says which editions have what is searched for. Scripts of any origin may read it (allowAnyOrigin).
func (s *site) apiSearch(w http.ResponseWriter, r *http.Request) error {
	c, err := s.catalog()
	if err != nil {
		return err
	}
	typed := typedQuery(r.URL.Query())
	if typed == "" {
		return errNoQuery
	}
	found := foundItems{Query: typed, Results: []foundItem{}}
	for _, h := range c.Search(typed) {
		item := foundItem{
			Kind: h.Kind, Key: h.Key, Name: h.Name, Description: h.Description, Plugin: h.Plugin.Key,
			Sentence: h.Sentence(), OnlyEdition: h.Commercial(), Editions: []foundEdition{},
		}
		for _, e := range h.Editions {
			item.Editions = append(item.Editions, foundEdition{e.Key, e.Name, e.HomeURL, e.LicenseRequestURL})
		}
		found.Results = append(found.Results, item)
	}
	if len(found.Results) == 0 {
		found.Suggest = c.Suggest(typed)
	}
	w.Header().Set("Cache-Control", cachePublic)
	return web.WriteJSON(w, http.StatusOK, found)
}
