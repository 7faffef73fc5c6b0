package catalog_test

import (
	"fmt"
	"log"
	"time"

	"marketplace/catalog"
	"marketplace/catalog/data"
)

// The catalog is made from a folder of release metadata, here the sample. Each edition's package takes, of every
// plugin, the highest release that is compatible with the version.
func Example() {
	metadata, err := catalog.Read(data.Files, time.Date(2018, time.June, 30, 0, 0, 0, 0, time.UTC))
	if err != nil {
		log.Fatal(err) // one line per fault in the metadata
	}
	c, err := metadata.Catalog(catalog.Options{SiteURL: "https://editions.example.com", Build: "1042"})
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range c.Editions {
		fmt.Printf("%s: %d plugins\n", e.Name, len(e.Plugins))
	}
	p, _ := c.Package("developer", "6.7.1")
	fmt.Println(p.URL)
	fmt.Println(p.Jars[0].Plugin, p.Jars[0].Release)
	// Output:
	// Community Edition: 0 plugins
	// Data Center Edition: 15 plugins
	// Developer Edition: 9 plugins
	// Enterprise Edition: 14 plugins
	// https://editions.example.com/downloads/developer-edition-6.7.1.1042.zip
	// abap 3.6
}
