package letter

import (
	"strings"
	"testing"

	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
)

func TestSalesReadWhatTheCustomerDidToARequest(t *testing.T) {
	for update, want := range map[notice.Update]string{
		notice.Answered:  "Answer from the customer: > It is switched off. The review",
		notice.Corrected: "The customer corrected request R-7K3Q9F",
		notice.Cancelled: "There is nothing left to do.",
	} {
		r := testRequest()
		r.Confirmed, r.Response = r.Created, &request.Response{Text: "It is switched off."}
		text := updatedText(t, r, update)
		want, _, _ = strings.Cut(want, " The review")
		for _, part := range []string{want, string(r.Reference), r.Company, r.Email,
			letters.URL + "/console/requests/" + r.ID} {
			if !strings.Contains(text, part) {
				t.Errorf("%s: got no %q in %s", update, part, text)
			}
		}
		if strings.Contains(text, "Nobody has confirmed") || strings.Contains(text, r.Token) {
			t.Errorf("%s: got a warning, or the secret of the request, in %s", update, text)
		}
	}
}

func TestSalesAreWarnedOfWhatAnybodyWithTheLinkCanDo(t *testing.T) {
	r := testRequest()
	r.Response = &request.Response{Text: "Send it to eve@evil.example."}
	if text := updatedText(t, r, notice.Answered); !strings.Contains(text, "Nobody has confirmed") {
		t.Errorf("got no warning in %s", text)
	}
	r.Response = nil
	if _, err := letters.Write(notice.RequestUpdated(r, notice.Answered, 2), notice.Records{Request: r}, nil,
		Call{}); err == nil {
		t.Error("got a letter about an answer that is not on record")
	}
}

func updatedText(t *testing.T, r request.Request, u notice.Update) string {
	t.Helper()
	m, err := letters.Write(notice.RequestUpdated(r, u, 2), notice.Records{Request: r}, nil, Call{})
	if err != nil {
		t.Fatal(err)
	}
	if m.To != letters.Sales || m.ReplyTo.Email != r.Email {
		t.Errorf("got it to %v, replies to %v", m.To, m.ReplyTo)
	}
	return strings.Join(strings.Fields(m.TextBody()), " ")
}

func TestCustomerReadsThatTheRequestWasCancelled(t *testing.T) {
	r := testRequest()
	r.Confirmed, r.State = r.Created, request.Withdrawn
	m, err := letters.Write(notice.RequestClosed(r, 2, notice.ByCustomer), notice.Records{Request: r}, nil, Call{})
	if err != nil {
		t.Fatal(err)
	}
	if text := m.TextBody(); !strings.Contains(m.Subject, "cancelled") || strings.Contains(text, "sales team:") ||
		!strings.Contains(text, letters.StatusURL(r)) {
		t.Errorf("got %q, %s", m.Subject, text)
	}
}
