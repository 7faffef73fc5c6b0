package site

import "marketplace/shared/request"

// bridgeProgress words the state of a request for a bridge key. It comes ahead of a request for the replacement, which
// has its own page, and on which our sales team works. ok is false for a request of another kind, or one that was
// withdrawn like any other.
func bridgeProgress(r request.Request, answer *emailFate) (p progress, ok bool) {
	if r.Kind != request.Bridge {
		return progress{}, false
	}
	switch r.State {
	case request.Received, request.InReview:
		return progress{"We are making your bridge key",
			"We check and issue it automatically. Our sales team works on the replacement meanwhile.",
			1, true, ""}, true
	case request.Issued:
		return progress{"Your bridge key was issued", answer.text("the key with installation steps") +
			" It works until the day below. Before then, you get the key of the replacement.", 3, false, "good"}, true
	case request.Answered:
		return progress{"You need no bridge key", "The request for the replacement is closed.", 3, false, ""}, true
	case request.Rejected:
		return progress{"There is no bridge key for this request", "The reason is below. " + answer.text("it") +
			" The request for the replacement is not affected.", 3, false, "warn"}, true
	}
	return progress{}, false
}

// Bridge reports whether a bridge key is asked for.
func (v statusView) Bridge() bool { return v.Kind == request.Bridge }
