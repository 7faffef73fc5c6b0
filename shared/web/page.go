package web

import (
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"sync"
	"time"

	"marketplace/shared/brand"
	"marketplace/shared/input"
	"marketplace/shared/license"
)

//go:embed templates
var sharedTemplates embed.FS

// Pages are a site's templates. A page is one file that defines "main" and may define "title". The file "site.html"
// defines what surrounds every page of the site, "header" and "footer", and may define "head", additions to the HTML
// head; "error.html" is the page of an error. The document around it all is templates/layout.html of this package,
// beside the parts that sites share.
type Pages struct {
	files  fs.FS    // the site's folder "templates" is in it
	parsed sync.Map // the page's name: func() (*template.Template, error)
	brand  brand.Brand
	static func() map[string]staticFile // by name, in the brand's colors
}

// NewPages returns the pages in the folder "templates" of files, which a site embeds. Each is parsed when it is first
// shown. Templates get the vendor's look from the function "brand": {{brand.Product}}.
func NewPages(files fs.FS, look brand.Brand) *Pages {
	look = look.OrDefault()
	return &Pages{
		files: files, brand: look,
		static: sync.OnceValue(func() map[string]staticFile { return colored(look.Color) }),
	}
}

// View is what the layout shows around a page.
type View struct {
	Title       string
	Description string // for search engines; "" for none
	Private     bool   // keeps search engines away
	Section     string // the part of the site that its navigation marks as current; "" for none
	Query       string // what the site's own links keep of the visitor's address: "?…" or ""
	Script      string // the file in static/ that the page runs besides page.js; "" for none
	// Connect lists the origins besides the site's own from which the script reads, such as that of the packages.
	Connect []string
	Visitor *Visitor
	Data    any // what "main" shows
}

// Render writes a page. It sets no caching headers.
func (p *Pages) Render(w http.ResponseWriter, status int, name string, v View) error {
	t, err := p.Template(name)
	if err != nil {
		return err
	}
	if v.Private {
		w.Header().Set("X-Robots-Tag", "noindex")
	}
	allowScripts(w.Header())
	if v.Script != "" {
		allowReading(w.Header(), v.Connect)
	}
	if source := p.brand.ImageSource(); source != "" {
		allowImages(w.Header(), source)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if err := t.ExecuteTemplate(w, "layout.html", v); err != nil {
		return fmt.Errorf("web: showing page %s: %w", name, err)
	}
	return nil
}

// Template returns the parsed template of a page, with the layout as "layout.html".
func (p *Pages) Template(name string) (*template.Template, error) {
	parse, ok := p.parsed.Load(name)
	if !ok {
		parse, _ = p.parsed.LoadOrStore(name, sync.OnceValues(func() (*template.Template, error) {
			return p.parse(name)
		}))
	}
	return parse.(func() (*template.Template, error))()
}

func (p *Pages) parse(name string) (*template.Template, error) {
	t := template.New(path.Base(name)).Funcs(functions).Funcs(factFunctions).Option("missingkey=error")
	t.Funcs(template.FuncMap{"brand": func() brand.Brand { return p.brand }, "static": p.Static})
	t, err := t.ParseFS(sharedTemplates, "templates/*.html")
	if err == nil {
		t, err = t.ParseFS(p.files, "templates/site.html", "templates/"+name)
	}
	if err != nil {
		return nil, fmt.Errorf("web: parsing page %s: %w", name, err)
	}
	return t, nil
}

// functions are what templates can call.
var functions = template.FuncMap{
	"number":  Number,
	"size":    Size,
	"instant": Instant,
	"mailto":  func(address string) string { return input.Mailto(address, "") },
	"isoTime": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
}

// Number formats a number with its thousands apart, as the product does: 1'200'000.
func Number(n int64) string { return license.Lines(n) }

// Size formats a number of bytes for people: 412 bytes, 3.1 KB, 89.4 MB.
func Size(n int64) string {
	switch {
	case n < 1000:
		return strconv.FormatInt(n, 10) + " bytes"
	case n < 1_000_000:
		return strconv.FormatFloat(float64(n)/1e3, 'f', 1, 64) + " KB"
	}
	return strconv.FormatFloat(float64(n)/1e6, 'f', 1, 64) + " MB"
}

// Instant formats a time for people: 05 Mar 2018, 14:30 UTC.
func Instant(t time.Time) string { return t.UTC().Format("02 Jan 2006, 15:04 UTC") }
