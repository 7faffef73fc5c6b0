package site

import (
	"net/http"

	"marketplace/shared/fault"
	"marketplace/shared/marketplace/preview"
	"marketplace/shared/web"
)

const marketplacePath = "/marketplace"

// marketplaceOptions returns what the preview is shown with here.
func (s *site) marketplaceOptions() preview.Options {
	return preview.Options{Path: marketplacePath, Product: s.brand.Product, Paste: true}
}

// marketplace shows what an administrator sees of the live catalog inside the product.
func (s *site) marketplace(w http.ResponseWriter, r *http.Request) error {
	from, err := s.previewed()
	if err != nil {
		return err
	}
	v := preview.New(from, r.URL.Query(), s.marketplaceOptions())
	return s.renderMarketplace(w, http.StatusOK, r.URL.RawQuery == "", v)
}

// pasteKey shows what the dialog of the product says about a key, which neither this page nor its links repeat.
func (s *site) pasteKey(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ReadForm(r)
	if err != nil {
		return err
	}
	from, err := s.previewed()
	if err != nil {
		return err
	}
	keys, err := s.keys()
	if err != nil {
		return err
	}
	pasted := preview.Key{Text: form.Get("key"), Keys: keys, Now: s.now()}
	v, err := preview.WithKey(from, form, s.marketplaceOptions(), pasted)
	status := http.StatusOK
	if fault.KindOf(err) == fault.Invalid {
		status, err = http.StatusUnprocessableEntity, nil
	}
	if err != nil {
		return err
	}
	return s.renderMarketplace(w, status, false, v)
}

func (s *site) previewed() (preview.Source, error) {
	c, err := s.catalog()
	if err != nil {
		return preview.Source{}, err
	}
	return preview.Of(c)
}

func (s *site) renderMarketplace(w http.ResponseWriter, status int, plain bool, v preview.View) error {
	if plain {
		w.Header().Set("Cache-Control", cachePublic)
	}
	title := "Marketplace preview"
	if status != http.StatusOK {
		title = "Error: " + title
	}
	return s.pages.Render(w, status, "marketplace.html", web.View{
		Title:       title,
		Description: "See what an administrator sees on the Marketplace page of " + s.brand.Product + ".",
		Private:     !plain, Query: v.Query, Data: v,
	})
}
