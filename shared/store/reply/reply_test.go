package reply_test

import (
	"fmt"
	"testing"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/reply"
	"marketplace/shared/table/tabletest"
)

const ann, bob = "ann@vendor.example", "bob@vendor.example"

func TestReplyIsAddedChangedAndDeleted(t *testing.T) {
	now := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	rows := &tabletest.Memory{}
	s := reply.New(store.New(rows, store.Options{Now: clock}).Table(), clock)
	r := request.Reply{ID: "t1", Name: "No contract", For: request.Rejected, Text: "There is no contract."}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.SaveReply(t.Context(), r, ann))
	if err := s.SaveReply(t.Context(), r, ann); fault.KindOf(err) != fault.Conflict {
		t.Errorf("added twice: got %v, want a conflict", err)
	}
	must(s.SaveReply(t.Context(), request.Reply{ID: "t2", Name: "Which server?", For: request.Waiting, Text: "?"}, ann))
	list, err := s.Replies(t.Context())
	must(err)
	if len(list) != 2 || list[0].ID != "t2" || list[1].ChangedBy != ann || !list[1].Changed.Equal(now) {
		t.Errorf("got replies %+v, want the question first", list)
	}
	changed := list[1]
	changed.Name = "No contract yet"
	must(s.SaveReply(t.Context(), changed, bob))
	if err := s.SaveReply(t.Context(), changed, ann); fault.KindOf(err) != fault.Conflict {
		t.Errorf("changed with an old version: got %v, want a conflict", err)
	}
	if err := s.DeleteReply(t.Context(), changed, ann); fault.KindOf(err) != fault.Conflict {
		t.Errorf("deleted with an old version: got %v, want a conflict", err)
	}
	kept, err := s.Reply(t.Context(), "t1")
	must(err)
	if kept.Name != changed.Name || kept.ChangedBy != bob || kept.Version != changed.Version+1 {
		t.Errorf("got %+v", kept)
	}
	must(s.DeleteReply(t.Context(), kept, ann))
	if _, err := s.Reply(t.Context(), "t1"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("deleted: got %v, want not found", err)
	}
	audited := 0
	for _, row := range rows.Rows() {
		if row.Type == "audit" {
			audited++
		}
	}
	if audited != 4 {
		t.Errorf("got %d changes in the audit, want 4", audited)
	}
}

func TestThereCanBeSoManyReplies(t *testing.T) {
	s := reply.New(store.New(&tabletest.Memory{}, store.Options{Now: time.Now}).Table(), time.Now)
	for i := range reply.Most + 1 {
		r := request.Reply{ID: fmt.Sprintf("t%d", i), Name: "n", For: request.Waiting, Text: "?"}
		if err := s.SaveReply(t.Context(), r, ann); (err == nil) != (i < reply.Most) {
			t.Fatalf("reply %d: got %v", i, err)
		}
	}
}
