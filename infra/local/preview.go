package main

import (
	"context"
	"os"
	"time"

	"marketplace/catalog"
	"marketplace/catalog/bundle"
	"marketplace/catalog/data"
	"marketplace/catalog/prepare"
	"marketplace/shared/fault"
)

// unpublished is a folder of release metadata that the console shows before it is published.
type unpublished struct {
	folder, siteURL string
	now             func() time.Time
}

func metadataOf(folder, siteURL string, now func() time.Time) unpublished {
	return unpublished{folder, siteURL, now}
}

// bundle reads the folder anew, so that an edit shows when the page is loaded again. What is wrong with the metadata is
// said on the page: who edits it is sitting in front of it.
func (u unpublished) bundle(context.Context) (*bundle.Bundle, error) {
	if u.folder == "" {
		return nil, fault.New(fault.NotFound, "There is no catalog to preview.")
	}
	made, err := u.catalog()
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "The metadata in %s has faults: %v", u.folder, err)
	}
	return prepare.Bundle(made)
}

func (u unpublished) catalog() (*catalog.Catalog, error) {
	if _, err := os.Stat(u.folder); err != nil {
		return nil, err
	}
	metadata, err := catalog.Read(os.DirFS(u.folder), u.now())
	if err != nil {
		return nil, err
	}
	return metadata.Catalog(catalog.Options{SiteURL: u.siteURL, Build: data.Build})
}
