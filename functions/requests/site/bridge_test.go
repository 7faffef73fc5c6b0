package site

import (
	"strings"
	"testing"

	"marketplace/shared/mail/letter"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/web/webtest"
)

// TestPageOfABridgeKeySaysThatItIsNoReplacement opens the link of a request for one in each of its states.
func TestPageOfABridgeKeySaysThatItIsNoReplacement(t *testing.T) {
	for state, title := range map[request.State]string{
		request.Received: "We are making your bridge key", request.Rejected: "There is no bridge key for this request",
		request.Answered: "You need no bridge key", request.Issued: "Your bridge key was issued",
	} {
		t.Run(string(state), func(t *testing.T) {
			env := newTestEnv(t)
			r, _ := env.fileForm("kind", "replacement", "replaces", "AWHW8w9JtzBzSrmf9GQX", "serverId",
				"0A1B2C3D-AWHW8w9JtzBzSrmf9GQX", "oldServer", "stopped", "environment", "production")
			order, _, err := env.store.FileBridge(t.Context(), r, "")
			if err != nil {
				t.Fatal(err)
			}
			switch state {
			case request.Issued:
				env.issueFor(order, "01cbridge00000000000000000")
			case request.Rejected, request.Answered:
				_, err = env.store.Review(t.Context(), store.Review{ID: order.ID, Version: order.Version,
					By: store.System, To: state, Text: "The installation has no license that is valid today."})
				if err != nil {
					t.Fatal(err)
				}
			}
			env.pass(2 * request.UndoFor)
			doc := env.get(letter.StatusPath(env.request(order.ID))).WantStatus(200).Page()
			if got := webtest.Text(doc.Find("h1")); got != title {
				t.Errorf("got the title %q, want %q", got, title)
			}
			next := webtest.Text(doc.Find("[aria-labelledby=next-title]"))
			for _, wrong := range []string{"by sales", "one business day", "send another request"} {
				if strings.Contains(next, wrong) {
					t.Errorf("got %q next", next)
				}
			}
			if n := doc.Find(`main a[href*="/correct"]`).Length(); n != 0 {
				t.Errorf("got %d links that correct it; its replacement is corrected", n)
			}
			if got := webtest.Text(doc.Find("#reason-title")); strings.Contains(got, "sales") {
				t.Errorf("got the heading %q over a reason that no salesperson gave", got)
			}
		})
	}
}
