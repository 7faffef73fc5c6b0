package fault

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

func TestSentenceNeverShowsTheCause(t *testing.T) {
	cause := errors.New("dial tcp: refused")
	err := fmt.Errorf("store: request r1: %w", Wrap(Unavailable, cause, "Try again in %d minutes.", 5))
	if got := Sentence(err); got != "Try again in 5 minutes." {
		t.Errorf("the sentence is %q", got)
	}
	if got := KindOf(err); got != Unavailable {
		t.Errorf("the kind is %v", got)
	}
	if !errors.Is(err, cause) {
		t.Error("the cause is not in the chain")
	}
	const want = "store: request r1: unavailable: Try again in 5 minutes.: dial tcp: refused"
	if got := err.Error(); got != want {
		t.Errorf("log: got %q, want %q", got, want)
	}
}

func TestUnknownErrorIsInternal(t *testing.T) {
	err := errors.New("what now")
	if KindOf(err) != Internal || KindOf(nil) != Internal || Sentence(err) != "what now" {
		t.Errorf("%v, %v, %q", KindOf(err), KindOf(nil), Sentence(err))
	}
	if got := Kind(200).String(); got != "fault.Kind(200)" {
		t.Errorf("a kind that there is not is %q", got)
	}
}

func TestFieldsKeepTheFirstErrorOfEachField(t *testing.T) {
	var bad Fields
	bad.Refuse("email", nil)
	if err := bad.Err("Nothing was recorded."); err != nil {
		t.Fatalf("nothing is wrong, and yet: %v", err)
	}
	bad.Refuse("email", New(Invalid, "100%% is not an address."))
	bad.Add("name", "At most %d characters.", 80)
	bad.Add("email", "This comes too late.")
	err := bad.Err("Nothing was recorded.")
	invalid, ok := errors.AsType[*Error](err)
	if !ok || invalid.Kind != Invalid || invalid.Msg != "Nothing was recorded." {
		t.Fatalf("%#v", err)
	}
	want := []Field{{"email", "100% is not an address."}, {"name", "At most 80 characters."}}
	if !slices.Equal(invalid.Fields, want) {
		t.Errorf("fields %v, want %v", invalid.Fields, want)
	}
}
