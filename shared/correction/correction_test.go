package correction

import (
	"net/url"
	"testing"

	"marketplace/shared/license"
	"marketplace/shared/request"
)

func asked() request.Request {
	return request.Request{Details: request.Details{
		Kind: request.New, Edition: license.Developer, Server: "AWHW8w9JtzBzSrmf9GQX", Loc: 120_000,
		WantedLoc: 300_000, ProductVersion: "6.7.1", Phone: "+41 22 555 01 23", Message: "Hello,\nplease hurry.",
	}}
}

// TestFormSentAsItCameCorrectsNothing holds the fields of the page to what the form reads: a mail scanner may send it.
func TestFormSentAsItCameCorrectsNothing(t *testing.T) {
	renewal := asked()
	renewal.Kind, renewal.Loc, renewal.ProductVersion = request.Renewal, 0, ""
	renewal.Link, renewal.Bound = &request.Link{Contact: "ada@acme.example"}, true
	for _, r := range []request.Request{asked(), renewal} {
		sent := url.Values{}
		for _, f := range Fields("SonarQube", r, request.CorrectionOf(r), []int64{100_000, 500_000}) {
			sent.Set(f.Name, f.Value)
			if f.Type != "select" {
				continue
			}
			offered := false
			for _, o := range f.Options {
				offered = offered || o.Value == f.Value
			}
			if !offered {
				t.Errorf("%s: the page does not offer %s %q", r.Kind, f.Name, f.Value)
			}
		}
		d, err := Read(sent).Accept(r)
		if err != nil || d.Fingerprint() != r.Fingerprint() {
			t.Errorf("%s: got %+v, %v; want it as it was", r.Kind, d, err)
		}
	}
}

func TestServerOfABoundRenewalHasNoField(t *testing.T) {
	r := asked()
	r.Kind, r.Link, r.Bound = request.Renewal, &request.Link{}, true
	for _, f := range Fields("SonarQube", r, request.CorrectionOf(r), nil) {
		if f.Name == "serverId" {
			t.Error("got a field for the server ID, which the link fixes")
		}
	}
}
