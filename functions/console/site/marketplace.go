package site

import (
	"net/http"
	"net/url"

	"marketplace/shared/fault"
	"marketplace/shared/marketplace/preview"
)

const marketplacePath = "/console/marketplace"

// marketplace shows what an administrator sees of the catalog that is to be published, and of the published one.
func (s *site) marketplace(w http.ResponseWriter, r *http.Request) error {
	c, err := s.catalog()
	if err != nil {
		return err
	}
	published, err := preview.Of(c)
	if err != nil {
		return err
	}
	shown, draft := published, preview.Draft{Published: true}
	switch next, err := s.drafted(r); {
	case err == nil:
		draft = preview.Draft{
			Found: true, Published: r.URL.Query().Get("catalog") == preview.PublishedCatalog,
			Site: next.Catalog.SiteURL, OtherSite: next.Catalog.SiteURL != c.SiteURL,
			Changes: preview.Compare(published, next),
		}
		if !draft.Published {
			shown = next
		}
	case fault.KindOf(err) != fault.NotFound:
		return err
	}
	draft.ShowDraft = addressWith(r.URL.Query(), "")
	draft.ShowPublished = addressWith(r.URL.Query(), preview.PublishedCatalog)
	v := preview.New(shown, r.URL.Query(), preview.Options{
		Path: marketplacePath, Product: s.mail.Brand.OrDefault().Product,
	})
	v.Draft = &draft
	return s.render(w, r, http.StatusOK, "marketplace.html", inSettings, "Marketplace preview", v)
}

// drafted returns the catalog that is to be published.
func (s *site) drafted(r *http.Request) (preview.Source, error) {
	if s.draft == nil {
		return preview.Source{}, fault.New(fault.NotFound, "There is no catalog to preview.")
	}
	b, err := s.draft(r.Context())
	if err != nil {
		return preview.Source{}, err
	}
	return preview.FromBundle(b)
}

// addressWith returns the page's address for another catalog.
func addressWith(q url.Values, catalog string) string {
	other := url.Values{}
	for name, values := range q {
		other[name] = values
	}
	other.Del("catalog")
	if catalog != "" {
		other.Set("catalog", catalog)
	}
	if len(other) == 0 {
		return marketplacePath
	}
	return marketplacePath + "?" + other.Encode()
}
