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

// catalogs serves the catalog to the functions. The sample replaces the built-in catalog of the Lambdas.
type catalogs struct {
	sample  *catalog.Catalog
	current func() (*catalog.Catalog, error)
	api     http.Handler
	prepare func() // slow; called early so that the first visitor does not wait
}

func openCatalogs(c config.Config, o Options) (catalogs, error) {
	sample, err := sampleCatalog(c.SiteURL, o.Data)
	if err != nil {
		return catalogs{}, err
	}
	builtIn := sync.OnceValues(func() (*bundle.Bundle, error) { return prepare.Bundle(sample) })
	return catalogs{
		sample:  sample,
		prepare: func() { _, _ = builtIn() }, // each request reports the error
		current: livecatalog.New(livecatalog.Options[*catalog.Catalog]{BuiltIn: builtIn, URL: c.BundleURL,
			Make: catalog.FromBundle, Now: o.Now, Log: o.Log}).Get,
		api: api.Live(livecatalog.New(livecatalog.Options[*api.Handler]{
			BuiltIn: builtIn, URL: c.BundleURL, Now: o.Now, Log: o.Log,
			Make: func(b *bundle.Bundle) (*api.Handler, error) {
				return api.New(b, api.Options{Dir: o.Data.Packages(), Brand: c.Brand, Log: o.Log}), nil
			},
		}).Get),
	}, nil
}

// sampleCatalog returns the catalog of the sample metadata and writes its jars and packages into the folder.
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
