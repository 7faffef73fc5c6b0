package store_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"marketplace/shared/mail"
	"marketplace/shared/request"
	"marketplace/shared/store"
)

// fileMails puts n mails with the IDs m00, m01, … into the outbox.
func fileMails(t *testing.T, b *testEnv, n int) {
	t.Helper()
	_, _, err := b.FileRequest(t.Context(), evaluation, "", func(request.Request) (list []mail.Message) {
		for i := range n {
			list = append(list, mail.Message{ID: fmt.Sprintf("m%02d", i)})
		}
		return list
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPendingMailComesInPages(t *testing.T) {
	b := newTestEnv(t)
	fileMails(t, b, 25)
	var all []string
	for after := ""; ; {
		ids, err := b.PendingMail(t.Context(), after, 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(ids) == 0 {
			break
		}
		all = append(all, ids...)
		after = ids[len(ids)-1]
	}
	if len(all) != 25 || !slices.IsSorted(all) || len(slices.Compact(all)) != 25 {
		t.Errorf("got %v, want m00 to m24", all)
	}
}

func TestMailIsClaimedByOne(t *testing.T) {
	b := newTestEnv(t)
	fileMails(t, b, 1)
	var claimed atomic.Int32
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			_, err := b.ClaimMail(t.Context(), "m00", time.Minute)
			switch {
			case err == nil:
				claimed.Add(1)
			case !errors.Is(err, store.ErrNotClaimed):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if claimed.Load() != 1 {
		t.Errorf("got %d claims, want 1", claimed.Load())
	}
}

func TestLeaseThatRanOutIsToldInTheMail(t *testing.T) {
	b := newTestEnv(t)
	fileMails(t, b, 1)
	lost, err := b.ClaimMail(t.Context(), "m00", time.Minute)
	if err != nil || lost.MaybeTwice {
		t.Fatal(lost, err)
	}
	b.now = b.now.Add(time.Minute)
	again, err := b.ClaimMail(t.Context(), "m00", time.Minute)
	if err != nil || !again.MaybeTwice || again.Attempts != 2 {
		t.Fatalf("claiming again: got %+v, %v", again, err)
	}
	if err := b.RecordSent(t.Context(), again, "provider-1"); err != nil {
		t.Fatal(err)
	}
	if err := b.RecordSent(t.Context(), lost, "provider-0"); err == nil {
		t.Error("got no error from the first claimant, whose lease ran out")
	}
	m, err := b.Mail(t.Context(), "m00")
	if err != nil || m.State != store.MailSent || m.ProviderID != "provider-1" || !m.MaybeTwice ||
		!m.Sent.Equal(b.now) {
		t.Errorf("got mail %+v, %v", m, err)
	}
	if got := pending(t, b.Store); len(got) != 0 {
		t.Errorf("got pending mails %v, want none", got)
	}
}

func TestHowAClaimEnds(t *testing.T) {
	for _, tt := range []struct {
		name      string
		end       func(*testEnv, store.Mail) error
		state     store.MailState
		attempts  int
		claimable time.Duration // after the claim; 0: never again
	}{
		{"sent", func(b *testEnv, m store.Mail) error { return b.RecordSent(t.Context(), m, "id") }, store.MailSent, 1,
			0},
		{"failed", func(b *testEnv, m store.Mail) error {
			return b.FailMail(t.Context(), m, errors.New("no such mailbox"))
		}, store.MailFailed, 1, 0},
		{"retried later", func(b *testEnv, m store.Mail) error {
			return b.RetryMail(t.Context(), m, errors.New("timeout"), b.now.Add(time.Hour))
		}, store.MailPending, 1, time.Hour},
		{"released", func(b *testEnv, m store.Mail) error { return b.ReleaseMail(t.Context(), m) }, store.MailPending,
			0, time.Nanosecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newTestEnv(t)
			fileMails(t, b, 1)
			m, err := b.ClaimMail(t.Context(), "m00", time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			if err := tt.end(b, m); err != nil {
				t.Fatal(err)
			}
			got, err := b.Mail(t.Context(), "m00")
			if err != nil || got.State != tt.state || got.Attempts != tt.attempts || got.Leased {
				t.Errorf("got mail %+v, %v", got, err)
			}
			if tt.claimable == 0 {
				b.now = b.now.Add(1000 * time.Hour)
				if _, err := b.ClaimMail(t.Context(), "m00", time.Minute); !errors.Is(err, store.ErrNotClaimed) {
					t.Errorf("claiming again: got %v, want ErrNotClaimed", err)
				}
				return
			}
			b.now = b.now.Add(tt.claimable - time.Nanosecond)
			if _, err := b.ClaimMail(t.Context(), "m00", time.Minute); tt.claimable > time.Nanosecond &&
				!errors.Is(err, store.ErrNotClaimed) {
				t.Errorf("claiming too early: got %v, want ErrNotClaimed", err)
			}
			b.now = b.now.Add(time.Nanosecond)
			if m, err := b.ClaimMail(t.Context(), "m00", time.Minute); tt.claimable > time.Nanosecond &&
				(err != nil || m.MaybeTwice) {
				t.Errorf("claiming in time: got %+v, %v", m, err)
			}
		})
	}
}
