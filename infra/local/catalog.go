package main

import (
	"net/http"
	"os"
	"sync"

	"marketplace/catalog"
	"marketplace/catalog/bundle"
	"marketplace/catalog/data"
	"marketplace/catalog/prepare"
	"marketplace/catalog/samplejar"
	"marketplace/functions/catalog/api"
	"marketplace/infra/localdata"
	"marketplace/shared/config"
	"marketplace/shared/livecatalog"
)

// catalogs are what is offered, as the functions get it. Here the sample is what they are built with.
type catalogs struct {
	sample  *catalog.Catalog
	offered func() (*catalog.Catalog, error)
	feed    http.Handler
	prepare func() // takes its time, so that whoever asks first need not wait
}

func openCatalogs(c config.Config, o Options) (catalogs, error) {
	sample, err := sampleCatalog(c.SiteURL, o.Data)
	if err != nil {
		return catalogs{}, err
	}
	builtIn := sync.OnceValues(func() (*bundle.Bundle, error) { return prepare.Bundle(sample) })
	return catalogs{
		sample:  sample,
		prepare: func() { _, _ = builtIn() }, // an error is told to whoever asks
		offered: livecatalog.New(livecatalog.Options[*catalog.Catalog]{BuiltIn: builtIn, URL: c.BundleURL,
			Make: catalog.FromBundle, Now: o.Now, Log: o.Log}).Get,
		feed: api.Current(livecatalog.New(livecatalog.Options[*api.Handler]{
			BuiltIn: builtIn, URL: c.BundleURL, Now: o.Now, Log: o.Log,
			Make: func(b *bundle.Bundle) (*api.Handler, error) {
				return api.New(b, api.Options{Dir: o.Data.Packages(), Log: o.Log}), nil
			},
		}).Get),
	}, nil
}

// sampleCatalog makes the catalog of the sample metadata, and its jars and packages in the folder.
func sampleCatalog(siteURL string, folder localdata.Dir) (*catalog.Catalog, error) {
	c, err := data.Catalog(siteURL)
	if err != nil {
		return nil, err
	}
	for _, dir := range []string{folder.Jars(), folder.Packages()} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
	}
	if err := samplejar.Write(folder.Jars(), c.Jars()); err != nil {
		return nil, err
	}
	return c, prepare.Packages(c, folder.Jars(), folder.Packages())
}
