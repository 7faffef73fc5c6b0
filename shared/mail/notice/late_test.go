package notice_test

import (
	"testing"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
)

var sam = license.Contact{Name: "Sam", Email: "sam@vendor.example"}

// late is a late request that Sam reviews.
func late() request.Request {
	r := filed(request.InReview)
	r.Due = time.UnixMilli(1550221200001)
	return r
}

func TestLateRequestIsToldOfWhileItIsLate(t *testing.T) {
	for _, tt := range []struct {
		then            string
		change          func(*request.Request)
		reviewer, sales string // why it is pointless; "" if it is not
	}{
		{"nothing", func(*request.Request) {}, "", ""},
		{"rejected", func(r *request.Request) { r.State = request.Rejected }, "the request is closed",
			"the request is closed"},
		{"issued", func(r *request.Request) { r.State = request.Issued }, "the request is closed",
			"the request is closed"},
		{"asked", func(r *request.Request) { r.State = request.Waiting }, "the request waits for its customer",
			"the request waits for its customer"},
		{"asked and resumed", func(r *request.Request) { r.Due = r.Due.Add(time.Hour) },
			"the request has another deadline", "the request has another deadline"},
		{"taken over", func(r *request.Request) { r.Reviewer = "ann@vendor.example" },
			"somebody else has taken over the request", ""},
		{"taken over again", func(r *request.Request) { r.Reviewer = "SAM@vendor.example" }, "", ""},
	} {
		r := late()
		toReviewer, toSales := notice.RequestLate(r, sam), notice.RequestLateSales(r)
		tt.change(&r)
		on := notice.Records{Request: r}
		if got := toReviewer.Pointless(on); got != tt.reviewer {
			t.Errorf("%s: got %q for the reviewer, want %q", tt.then, got, tt.reviewer)
		}
		if got := toSales.Pointless(on); got != tt.sales {
			t.Errorf("%s: got %q for sales, want %q", tt.then, got, tt.sales)
		}
	}
}
