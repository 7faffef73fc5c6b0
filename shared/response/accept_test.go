package response

import "testing"

// TestProgramsGetJSONAndBrowsersPages is the one table of content negotiation for all functions.
func TestProgramsGetJSONAndBrowsersPages(t *testing.T) {
	for accept, want := range map[string]bool{
		"":                                  false,
		"*/*":                               false,
		"application/json":                  true,
		"APPLICATION/JSON":                  true,
		"text/html":                         false,
		"text/html, application/json":       false, // equal: a page
		"application/json, text/html":       false,
		"application/json, text/html;q=0.1": true,
		"application/json;q=0.1, text/html": false,
		"application/json;q=0.5, text/html;q=0.501": false,
		"application/*":                                                              true,
		"application/*, text/html":                                                   false,
		"application/*;q=0.9, text/*;q=0.8":                                          true,
		"text/html;q=0, application/json":                                            true,
		"text/html;q=0, */*":                                                         true,
		"application/json;q=0":                                                       false,
		"application/json;q=0, */*":                                                  false, // application/problem+json and HTML are equal
		"application/json;q=0, application/*":                                        true,
		"application/*;q=0, */*":                                                     false,
		"application/json, */*;q=0.1":                                                true,
		"application/json;q=0.2, */*;q=0.3":                                          false,
		"application/problem+json, text/html;q=0.5":                                  true,
		"application/json ; charset=utf-8":                                           true,
		"application/json;charset=utf-8;q=0.1":                                       true,
		"text/html;level=1, text/html;q=0.4, */*;q=0":                                false,
		"text/html;level=1, text/html;q=0.4, application/json;q=0.5":                 true,
		"application/json;v=1;q=0.1, application/json;v=2, text/html;q=0.5":          true,
		`application/json;a="x, text/html;q=1"`:                                      true,
		`application/json;a="\";q=0", text/html;q=0.9`:                               true,
		"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8": false,
		"image/png":                     false, // neither is acceptable: still a page, never a 406
		"application/xml":               false,
		"application/*+json":            false,
		"*/json":                        false,
		"json":                          false,
		"application/json;q=NaN":        false,
		"application/json;q=2":          false,
		"application/json;q=0.1234":     false,
		"application/json;q=":           false,
		"application/json;Q=1.000":      true,
		"nonsense;;q=,":                 false,
		",,;, application/json;q=0.001": true,
	} {
		if got := PrefersJSON(accept); got != want {
			t.Errorf("Accept %q: got JSON %v, want %v", accept, got, want)
		}
	}
}

func TestNegotiationAllocatesNothing(t *testing.T) {
	const accept = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
	if n := testing.AllocsPerRun(100, func() { PrefersJSON(accept) }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}
