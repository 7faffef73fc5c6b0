package delivery_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"marketplace/shared/alarm"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store/delivery"
	"marketplace/shared/table"
	"marketplace/shared/table/tabletest"
)

func TestLastDailyRunIsTheOneRecordedLast(t *testing.T) {
	b := newTestEnv(t)
	if r, err := b.LastDailyRun(t.Context()); err != nil || !reflect.DeepEqual(r, delivery.DailyRun{}) {
		t.Errorf("got %+v, %v before the first run, want none", r, err)
	}
	// A run of the past is the last one too, after a clock was set back.
	for _, day := range []license.Date{{Year: 2018, Month: 3, Day: 1}, {Year: 2018, Month: 3, Day: 2},
		{Year: 2018, Month: 2, Day: 1}} {
		b.now = day.Start().Add(6 * time.Hour)
		if err := b.RecordDailyRun(t.Context(), day); err != nil {
			t.Fatal(err)
		}
		if r, err := b.LastDailyRun(t.Context()); err != nil || r.Day != day || !r.Ended.Equal(b.now) {
			t.Errorf("got %+v, %v, want the run of %v at %v", r, err, day, b.now)
		}
	}
}

func TestWatchedReadsWhatIsOnRecord(t *testing.T) {
	b := newTestEnv(t)
	ended := b.now
	if err := b.RecordDailyRun(t.Context(), license.DateOf(b.now)); err != nil {
		t.Fatal(err)
	}
	lease, err := b.Outbox().Acquire(t.Context(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	lease.Provider.PerDay = 50
	lease.Provider.CountSent(b.now.Add(-48*time.Hour), 30)
	lease.Provider.CountSent(b.now, 20)
	if err := lease.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		id := fmt.Sprintf("l%d--key", i)
		l := license.License{ID: fmt.Sprint("l", i)}
		c := b.Table().Begin()
		b.Outbox().Queue(c, notice.LicenseKey([]license.License{l}, license.Contact{Email: "ada@acme.example"}))
		if err := c.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		m, err := b.Outbox().Read(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if m, err = b.Outbox().Begin(t.Context(), m, 1, mail.Message{ID: id}); err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			err = b.Outbox().Fail(t.Context(), m, "rejected")
		} else {
			err = b.Outbox().Doubt(t.Context(), m, "no answer", b.now.Add(time.Hour))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	b.now = b.now.Add(time.Hour)
	got, err := b.Watched(t.Context())
	want := alarm.Readings{DailyRun: ended, Failed: 2, InDoubt: 1, Sent: 20, Quota: 50}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	b.table.Fault = func(tabletest.Call) tabletest.Fault { return tabletest.Down }
	if _, err := b.Watched(t.Context()); !errors.Is(err, table.ErrUnavailable) {
		t.Errorf("table down: got %v, want its error", err)
	}
}
