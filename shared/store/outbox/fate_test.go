package outbox

import (
	"slices"
	"testing"
)

func report(o Outcome, call, status, detail string) Report {
	return Report{Mail: "m", ProviderID: call, Outcome: o, Status: status, Detail: detail}
}

// permutations calls f with every order of a list.
func permutations[T any](list []T, f func([]T)) {
	var permute func(n int)
	permute = func(n int) {
		if n == len(list) {
			f(slices.Clone(list))
			return
		}
		for i := n; i < len(list); i++ {
			list[n], list[i] = list[i], list[n]
			permute(n + 1)
			list[n], list[i] = list[i], list[n]
		}
	}
	permute(0)
}

func TestFateDoesNotDependOnTheOrderOfReports(t *testing.T) {
	var (
		sent      = report(Accepted, "c1", "", "")
		delivered = report(Delivered, "c1", "", "250 OK")
		delayed   = report(Delayed, "c1", "4.2.2", "MailboxFull")
		absent    = report(Returned, "c1", "", "General")
		expired   = report(Returned, "c1", "4.4.7", "General")
		full      = report(Returned, "c1", "5.2.2", "MailboxFull")
		bounced   = report(Bounced, "c1", "5.1.1", "General")
		listed    = report(Bounced, "c1", "5.1.1", "OnAccountSuppressionList, 5.1.1")
		spam      = report(Complained, "c1", "", "abuse")
		spamList  = report(Complained, "c1", "", "OnAccountSuppressionList")
		virus     = report(Refused, "c1", "", "Bad content")
	)
	again := func(r Report) Report { r.ProviderID = "c2"; return r }
	for _, tt := range []struct {
		name    string
		reports []Report
		want    Fate
	}{
		{"nothing", nil, FateUnknown},
		{"accepted", []Report{sent}, FateUnknown},
		{"delayed", []Report{sent, delayed}, FateDelayed},
		{"delivered", []Report{sent, delivered}, FateArrived},
		{"delivered after a delay", []Report{sent, delayed, delivered}, FateArrived},
		{"an absence note", []Report{sent, delivered, absent}, FateArrived},
		{"returned, of whatever kind", []Report{sent, absent}, FateReturned},
		{"expired", []Report{sent, delayed, expired}, FateReturned},
		{"taken and returned", []Report{sent, delivered, full}, FateReturned},
		{"taken, an absence note, and returned", []Report{delivered, absent, full}, FateReturned},
		{"taken and bounced", []Report{sent, delivered, bounced}, FateBounced},
		{"on the provider's list", []Report{sent, listed}, FateBounced},
		{"marked as spam", []Report{sent, delivered, spam}, FateArrived},
		{"marked as spam, delivery unknown", []Report{spam}, FateArrived},
		{"marked as spam long ago", []Report{sent, spamList}, FateBounced},
		{"marked as spam and away", []Report{spam, absent}, FateArrived},
		{"refused", []Report{sent, virus}, FateRefused},
		{"sent twice, one returned", []Report{delivered, again(sent), again(expired)}, FateArrived},
		{"sent twice, one bounced", []Report{bounced, again(sent), again(delivered)}, FateArrived},
		{"sent twice, one away", []Report{absent, again(delivered)}, FateArrived},
		{"sent twice, both back", []Report{expired, again(bounced)}, FateBounced},
	} {
		permutations(tt.reports, func(order []Report) {
			if got := FateOf(order); got != tt.want {
				t.Errorf("%s: got %q, want %q, of %+v", tt.name, got, tt.want, order)
			}
			if got := FateOf(append(order, order...)); got != tt.want {
				t.Errorf("%s, each twice: got %q, want %q", tt.name, got, tt.want)
			}
		})
	}
}
