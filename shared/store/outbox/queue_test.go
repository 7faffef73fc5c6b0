package outbox_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
	"marketplace/shared/table/tabletest"
)

func TestOneCauseQueuesOneMail(t *testing.T) {
	e := newTestEnv(t)
	n := key("l1", "ada@acme.example")
	e.queue(n)
	for _, queue := range []func(*entity.Changeset){
		func(c *entity.Changeset) { e.Queue(c, n) },
		func(c *entity.Changeset) { e.QueueTurn(c, n, e.now, 3) },
		func(c *entity.Changeset) { e.QueueLater(c, n, e.now.Add(time.Hour)) },
	} {
		c := e.entities.Begin()
		queue(c)
		if err := c.Commit(t.Context()); !entity.IsConflictOn(err, rowkey.Mail(n.ID)) {
			t.Errorf("queueing again: got %v, want a conflict with the mail", err)
		}
	}
	e.want("the mail", e.status(n.ID), "waiting ready")
	e.must(e.RecordSent(t.Context(), e.begin(n.ID), "p1"))
	c := e.entities.Begin()
	e.Queue(c, n)
	if err := c.Commit(t.Context()); !entity.IsConflictOn(err, rowkey.Mail(n.ID)) {
		t.Errorf("queueing a sent mail again: got %v, want a conflict with the mail", err)
	}
	if known, err := e.Exists(t.Context(), n.ID); !known || err != nil {
		t.Errorf("got exists %v, %v, want true", known, err)
	}
	if known, err := e.Exists(t.Context(), "l9--key"); known || err != nil {
		t.Errorf("unknown mail: got exists %v, %v, want false", known, err)
	}
	if _, err := e.Read(t.Context(), "l9--key"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("unknown mail: got %v, want a NotFound fault", err)
	}
}

func TestQueuedMailIsReadAsItWasQueued(t *testing.T) {
	e := newTestEnv(t)
	r := request.Request{ID: "r1", State: request.Waiting, Question: "Which version?", Reviewer: "sam@vendor.example",
		Details: request.Details{Email: "ada@acme.example", Name: "Ada Lovelace"}}
	n := notice.RequestQuestion(r, 4)
	e.queue(n)
	m := e.read(n.ID)
	if fmt.Sprint(m.Notice) != fmt.Sprint(n) || !m.Created.Equal(e.now) || m.State.Status != outbox.Waiting ||
		!m.Known() {
		t.Errorf("got %+v, want %+v", m, n)
	}
	e.now = e.now.Add(time.Hour)
	e.want("created", e.read(n.ID).Created, start)
}

func TestReadyMailsAreInTheOrderOfTimeAndTurn(t *testing.T) {
	e := newTestEnv(t)
	var want []string
	c := e.entities.Begin()
	for at := range 3 {
		for turn := range 4 {
			n := reminder(fmt.Sprintf("l%d%d", 9-at, 9-turn), fmt.Sprintf("ada@customer%d.example", turn%2))
			e.QueueTurn(c, n, e.now.Add(time.Duration(at)*time.Millisecond), turn)
			want = append(want, n.ID)
		}
	}
	e.must(c.Commit(t.Context()))
	urgent := key("l1", "ada@acme.example")
	e.now = e.now.Add(time.Hour)
	e.queue(urgent)
	if got := e.ready(notice.RankReminder); !slices.Equal(got, want) {
		t.Errorf("got reminders %v, want %v", got, want)
	}
	e.want("keys", e.ready(notice.RankUrgent), []string{urgent.ID})
	e.want("confirmations", len(e.ready(notice.RankSoon)), 0)
	// Within a shard the page ends where the limit is.
	shard := rowkey.Shard("customer-customer0.example")
	for limit := 1; limit <= 6; limit++ {
		list, err := e.Ready(t.Context(), notice.RankReminder, shard, limit)
		if err != nil || len(list) > limit || len(list) == 0 || list[0].Customer == "" {
			t.Errorf("at most %d: got %+v, %v", limit, list, err)
		}
	}
	for _, id := range want {
		m := e.read(id)
		if !m.Created.Equal(start) {
			t.Errorf("%s: got it created at %v, want %v", id, m.Created, start)
		}
		e.must(e.RecordSent(t.Context(), e.begin(id), "p"))
	}
	e.want("left", len(e.ready(notice.RankReminder)), 0)
}

func TestMailsOfACustomerAreInOneShard(t *testing.T) {
	e := newTestEnvOver(t, &tabletest.Memory{})
	for i := range 20 {
		e.queue(key(fmt.Sprintf("a%d", i), fmt.Sprintf("u%d@acme.example", i)),
			key(fmt.Sprintf("g%d", i), fmt.Sprintf("u%d@gmail.com", i)),
			key(fmt.Sprintf("c%d", i), fmt.Sprintf("ada@customer%d.example", i)))
	}
	shards := map[string]map[int]bool{"a": {}, "g": {}, "c": {}}
	for shard := range rowkey.Shards {
		list, err := e.Ready(t.Context(), notice.RankUrgent, shard, 1000)
		e.must(err)
		for _, entry := range list {
			shards[entry.ID[:1]][shard] = true
		}
	}
	if len(shards["a"]) != 1 || len(shards["g"]) < 5 || len(shards["c"]) < 5 {
		t.Errorf("got shards %v, want one of acme's, and many of strangers and of many customers", shards)
	}
}

func TestShardsAreEvenlyUsed(t *testing.T) {
	n := make([]int, rowkey.Shards)
	for i := range 16_000 {
		n[rowkey.Shard(fmt.Sprintf("customer-customer%d.example", i))]++
	}
	if slices.Min(n) < 850 || slices.Max(n) > 1150 {
		t.Errorf("got %v customers by shard, want about 1,000 each", n)
	}
}

func TestPausedMailsGetReadyWhenTheirPauseIsOver(t *testing.T) {
	e := newTestEnv(t)
	for i, ms := range []int{0, 1, 2, 1000} {
		n := key(fmt.Sprintf("l%d", i), "ada@acme.example")
		c := e.entities.Begin()
		e.QueueLater(c, n, e.now.Add(time.Duration(ms)*time.Millisecond))
		e.must(c.Commit(t.Context()))
		if got, want := e.read(n.ID).State.NotBefore, e.now.Add(time.Duration(ms)*time.Millisecond); !got.Equal(want) {
			t.Errorf("%s: got it paused until %v, want %v", n.ID, got, want)
		}
	}
	e.want("queued for later", e.ready(notice.RankUrgent), []string{})
	for _, tt := range []struct {
		after time.Duration
		want  string
	}{
		{-time.Millisecond, ""},
		{0, "l0--key"}, // at the same millisecond
		{999 * time.Microsecond, "l0--key"},
		{time.Millisecond, "l0--key l1--key"},
		{time.Second, "l0--key l1--key l2--key l3--key"},
	} {
		e.now = start.Add(tt.after)
		e.promote()
		e.want(fmt.Sprint("after ", tt.after), strings.Join(e.ready(notice.RankUrgent), " "), tt.want)
		for _, id := range e.ready(notice.RankUrgent) {
			e.want("lists of "+id, e.lists(id), "ready")
			if m := e.read(id); !m.State.NotBefore.IsZero() {
				t.Errorf("%s: got it ready at %v with a pause until %v", id, e.now, m.State.NotBefore)
			}
		}
	}
	e.want("promoted again", e.promote(), 0)
}

func TestPromoteEndsAtItsLimit(t *testing.T) {
	e := newTestEnvOver(t, &tabletest.Memory{})
	for i := range 10 {
		c := e.entities.Begin()
		e.QueueLater(c, key(fmt.Sprintf("l%d", i), "ada@acme.example"), e.now.Add(time.Duration(i)*time.Second))
		e.must(c.Commit(t.Context()))
	}
	e.now = e.now.Add(time.Minute)
	shard := rowkey.Shard("customer-acme.example")
	for _, want := range []int{4, 4, 2, 0} {
		n, err := e.Promote(t.Context(), shard, 4)
		if n != want || err != nil {
			t.Errorf("got %d promoted, %v, want %d", n, err, want)
		}
	}
	if got := e.ready(notice.RankUrgent); len(got) != 10 || !slices.IsSorted(got) {
		t.Errorf("got %v ready, want 10 in the order of their times", got)
	}
}

// TestPromoteMeetsOtherChanges settles, pauses or promotes the mail between Promote's reading and its change.
func TestPromoteMeetsOtherChanges(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(e *testEnv) error
		want   string
	}{
		"settled":  {func(e *testEnv) error { return e.Settle(t.Context(), id, 1, "p", e.now) }, "sent"},
		"failed":   {func(e *testEnv) error { return e.Fail(t.Context(), e.read(id), "bad") }, "failed failed"},
		"promoted": {func(e *testEnv) error { e.promote(); return nil }, "in-doubt ready"},
		"paused": {func(e *testEnv) error {
			return e.Pause(t.Context(), e.read(id), "again", e.now.Add(time.Hour), false)
		}, "waiting paused"},
	} {
		for _, op := range []string{"query", "transact"} {
			e := newTestEnvOver(t, &tabletest.Memory{})
			e.queue(key("l1", "ada@acme.example"))
			e.must(e.Doubt(t.Context(), e.begin(id), "no answer", e.now.Add(time.Minute)))
			e.now = e.now.Add(time.Minute)
			mail := rowkey.Mail(id)
			e.table.Fault = func(c tabletest.Call) tabletest.Fault {
				reads := c.Op == "query" && c.Query.PK == mail.PK
				if c.Op == op && (reads || op == "transact") {
					e.table.Fault = nil
					e.must(tt.change(e))
				}
				return tabletest.Fault{}
			}
			e.promote()
			e.table.Fault = nil
			e.promote()
			e.want(fmt.Sprintf("%s before the %s", name, op), e.status(id), tt.want)
		}
	}
}

func TestPausedRowWithoutItsMailIsRemoved(t *testing.T) {
	e := newTestEnv(t)
	row := entity.Encode(rowkey.Later(3, e.now, 1, "gone--key"), rowkey.TypePending, struct{}{})
	e.must(e.table.Transact(t.Context(), table.Create(row)))
	e.want("promoted", e.promote(), 1)
	e.want("promoted again", e.promote(), 0)
	e.want("ready", len(e.ready(1)), 0)
}

// TestPausedRowThatWasLeftBehindIsRemoved leaves a row of an earlier pause.
func TestPausedRowThatWasLeftBehindIsRemoved(t *testing.T) {
	for _, to := range states {
		if to.name == "new" || to.name == "sending" || to.name == "ready again" {
			continue // it could be of a parked mail, and gets ready
		}
		e := newTestEnvOver(t, &tabletest.Memory{})
		e.queue(key("l1", "ada@acme.example"))
		to.make(e)
		before := e.status(id)
		left := rowkey.Later(rowkey.Shard("customer-acme.example"), e.now, 1, id)
		e.must(e.table.Transact(t.Context(), table.Create(entity.Encode(left, rowkey.TypePending, struct{}{}))))
		e.promote()
		e.want(to.name, e.status(id), before)
	}
}

// forget is what a mailer does that finds a ready mail closed or gone. It returns whether the mail had changed.
func (e *testEnv) forget(entry outbox.Entry) (changed bool) {
	e.t.Helper()
	m, err := e.Read(e.t.Context(), entry.ID)
	if fault.KindOf(err) != fault.NotFound {
		e.must(err)
	}
	err = e.Forget(e.t.Context(), entry, m)
	if errors.Is(err, outbox.ErrChanged) {
		return true
	}
	e.must(err)
	return false
}

// TestForgetRemovesOnlyWhatIsClosed tries it in each status, and while somebody makes the mail ready again.
func TestForgetRemovesOnlyWhatIsClosed(t *testing.T) {
	stale := func(e *testEnv) outbox.Entry {
		list, err := e.Ready(e.t.Context(), 1, rowkey.Shard("customer-acme.example"), 1)
		e.must(err)
		return list[0]
	}
	for _, to := range states {
		e := newTestEnvOver(t, &tabletest.Memory{})
		e.queue(key("l1", "ada@acme.example"))
		entry := stale(e)
		pk := rowkey.ReadyPK(1, rowkey.Shard("customer-acme.example"))
		row, _, err := e.entities.First(t.Context(), table.Query{PK: pk}, 1)
		e.must(err)
		to.make(e)
		before := e.status(id)
		e.want(to.name+": changed", e.forget(entry), e.read(id).State.Status.Open())
		e.want(to.name, e.status(id), before)
		// A row that was left behind is removed if the mail is closed.
		if m := e.read(id); !m.State.Status.Open() {
			e.must(e.table.Transact(t.Context(), table.Set(row[0])))
			e.forget(entry)
			e.want(to.name+" with a row left", e.status(id), before)
		}
	}
	e := newTestEnvOver(t, &tabletest.Memory{})
	e.queue(key("l1", "ada@acme.example"))
	entry := stale(e)
	e.must(e.Fail(t.Context(), e.begin(id), "bad"))
	e.table.Fault = func(c tabletest.Call) tabletest.Fault {
		if c.Op == "transact" {
			e.table.Fault = nil
			e.must(e.tryAgain(id))
		}
		return tabletest.Fault{}
	}
	e.want("made ready meanwhile: changed", e.forget(entry), true)
	e.want("made ready meanwhile", e.status(id), "waiting ready")
	gone := entity.Encode(rowkey.Ready(2, 3, e.now, 0, "gone--new"), rowkey.TypePending, struct{}{})
	e.must(e.table.Transact(t.Context(), table.Create(gone)))
	list, err := e.Ready(t.Context(), 2, 3, 10)
	e.must(err)
	if err := e.Forget(t.Context(), entry, outbox.Mail{}); !errors.Is(err, outbox.ErrChanged) {
		t.Errorf("a mail that was queued meanwhile: got %v, want ErrChanged", err)
	}
	e.want("without its mail: changed", e.forget(list[0]), false)
	e.want("without its mail", len(e.ready(2)), 0)
}

// TestParkedMailGetsReadyAgain parks mails that cannot be read, that are of an unknown kind, and that are known after
// all, whatever their own rows say.
func TestParkedMailGetsReadyAgain(t *testing.T) {
	for name, change := range map[string]func(row *table.Row){
		"unreadable": func(row *table.Row) { row.Data = []byte(`{"licenses":7}`) },
		"unknown": func(row *table.Row) {
			row.Data = []byte(strings.Replace(string(row.Data), "license-key", "digest", 1))
		},
		"known": func(*table.Row) {},
	} {
		e := newTestEnv(t)
		e.queue(key("l1", "ada@acme.example"))
		row, err := e.table.Get(t.Context(), rowkey.Mail(id))
		e.must(err)
		good := row
		change(&row)
		e.must(e.table.Transact(t.Context(), table.Set(row)))
		shard := rowkey.Shard("customer-acme.example")
		for range 2 {
			list, err := e.Ready(t.Context(), 1, shard, 10)
			if err != nil || len(list) != 1 || list[0].Customer != "customer-acme.example" {
				t.Fatalf("%s: got %+v, %v, want the mail with its customer", name, list, err)
			}
			e.must(e.Park(t.Context(), list[0], e.now.Add(time.Hour)))
			e.want(name+" parked", e.lists(id), "paused")
			if err := e.Park(t.Context(), list[0], e.now.Add(2*time.Hour)); !errors.Is(err, outbox.ErrChanged) {
				t.Errorf("%s parked again: got %v, want ErrChanged", name, err)
			}
			e.want(name+" parked again", e.lists(id), "paused")
			e.now = e.now.Add(time.Hour - time.Millisecond)
			e.want(name+": promoted too early", e.promote(), 0)
			e.now = e.now.Add(time.Millisecond)
			e.want(name+": promoted", e.promote(), 1)
			e.want(name+" again", e.lists(id), "ready")
		}
		e.must(e.table.Transact(t.Context(), table.Set(good)))
		list, err := e.Ready(t.Context(), 1, shard, 10)
		e.must(err)
		e.must(e.RecordSent(t.Context(), e.begin(id), "p1"))
		e.forget(list[0])
		e.want(name+" sent by a version that knows it", e.status(id), "sent")
	}
}

func TestWakesForReadyMailsOfTheFirstTwoRanks(t *testing.T) {
	row := func(k table.Key) table.Row { return table.Row{Key: k} }
	for _, tt := range []struct {
		write table.Write
		want  bool
	}{
		{table.Set(row(rowkey.Ready(1, 0, start, 0, "m"))), true},
		{table.Set(row(rowkey.Ready(2, 15, start, 0, "m"))), true},
		{table.Set(row(rowkey.Ready(3, 0, start, 0, "m"))), false},
		{table.Delete(rowkey.Ready(1, 0, start, 0, "m"), table.Any), false},
		{table.Set(row(rowkey.Later(0, start, 1, "m"))), false},
		{table.Set(row(rowkey.Mail("a--m"))), false},
		{table.Set(row(rowkey.MailState("a--m"))), false},
		{table.Set(row(rowkey.Lease())), false},
	} {
		if got := outbox.Wakes(tt.write); got != tt.want {
			t.Errorf("%v: got %v, want %v", tt.write.Row.Key, got, tt.want)
		}
	}
}

// TestMailsOfANewerVersionAreKept reads rows that this version does not understand.
func TestMailsOfANewerVersionAreKept(t *testing.T) {
	e := newTestEnv(t)
	put := func(id, data string, schema int) {
		t.Helper()
		row := table.Row{Key: rowkey.Mail(id), Type: "mail", Schema: schema, Data: []byte(data)}
		e.must(e.table.Transact(t.Context(), table.Create(row)))
	}
	const fields = `"about":"l1","customer":"customer-acme.example","created":"2018-03-01T09:00:00Z","rank":1,` +
		`"ready":"2018-03-01T09:00:00Z"`
	put("l1--digest", `{"id":"l1--digest","kind":"digest",`+fields+`}`, notice.Schema)
	newer := `{"id":"l1--new","kind":"license-key","licenses":{"l1":1},"stage":"soon",` + fields + `}`
	put("l1--new", newer, notice.Schema+1)
	later := table.Row{Key: table.Key{PK: rowkey.Mail("l1--new").PK, SK: "l1--new#PART#1"}, Type: "x", Schema: 1,
		Data: []byte(`{"id":7}`)}
	e.must(e.table.Transact(t.Context(), table.Create(later)))
	e.queue(key("l1", "ada@acme.example"))
	list, err := e.About(t.Context(), "l1")
	if err != nil || len(list) != 3 {
		t.Fatalf("got %+v, %v, want three mails", list, err)
	}
	for _, m := range list {
		if known := m.ID == id; m.Known() != known {
			t.Errorf("%s: got known %v, want %v", m.ID, m.Known(), known)
		}
		if m.Customer != "customer-acme.example" || m.Notice.About != "l1" || m.Kind == "" {
			t.Errorf("got %+v, want whom it concerns", m)
		}
	}
	for _, id := range []string{"l1--digest", "l1--new"} {
		e.must(e.Pause(t.Context(), e.read(id), "a newer version has to send it", e.now.Add(time.Hour), false))
		e.want(id, e.status(id), "waiting paused")
		e.now = e.now.Add(time.Hour)
		e.promote()
		e.want(id+" later", e.status(id), "waiting ready")
	}
	row, err := e.table.Get(t.Context(), rowkey.Mail("l1--new"))
	if err != nil || row.Schema != notice.Schema+1 || !strings.Contains(string(row.Data), "soon") {
		t.Errorf("got row %s, %v, want it as it was", row.Data, err)
	}
}

func TestQueuedMailsAreCounted(t *testing.T) {
	e := newTestEnvOver(t, &tabletest.Memory{})
	r := request.Request{ID: "r1", Details: request.Details{Email: "ada@acme.example"}}
	for i := range 5 {
		e.queue(key(fmt.Sprint("k", i), fmt.Sprintf("ada@c%d.example", i)))
	}
	for i := range 7 {
		e.queue(reminder(fmt.Sprint("r", i), "ada@acme.example"))
	}
	e.queue(notice.RequestReceived(r), notice.RequestNew(r))
	for i := range 3 {
		c := e.entities.Begin()
		e.QueueLater(c, key(fmt.Sprint("p", i), fmt.Sprintf("ada@d%d.example", i)), e.now.Add(time.Hour))
		e.must(c.Commit(t.Context()))
	}
	q, err := e.Queued(t.Context(), 100)
	if err != nil || fmt.Sprint(q.Ready) != "map[1:5 2:2 3:7]" || q.Paused != 3 || q.Total() != 17 {
		t.Errorf("got %+v of %d, %v, want 5, 2 and 7 ready and 3 paused", q, q.Total(), err)
	}
	if want := (outbox.Oldest{1: start, 2: start, 3: start}); !maps.Equal(q.Oldest, want) {
		t.Errorf("got the oldest of %v, want %v", q.Oldest, want)
	}
	if q, err = e.Queued(t.Context(), 4); err != nil || q.Ready[notice.RankReminder] != 4 {
		t.Errorf("up to 4: got %+v, %v, want 4 reminders of one customer", q, err)
	}
	e.table.Fault = func(tabletest.Call) tabletest.Fault { return tabletest.Down }
	if _, err = e.Queued(t.Context(), 4); !errors.Is(err, table.ErrUnavailable) {
		t.Errorf("table down: got %v, want its error", err)
	}
}

func TestOldestReadyMailOfEachRankIsFound(t *testing.T) {
	e := newTestEnvOver(t, &tabletest.Memory{})
	check := func(want outbox.Oldest) {
		t.Helper()
		got, err := e.OldestReady(t.Context())
		e.must(err)
		if !maps.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	check(outbox.Oldest{})
	for i := range 40 { // in every shard, the oldest not in the first one
		e.queue(reminder(fmt.Sprint("r", i), fmt.Sprintf("ada@c%d.example", i)))
		e.now = e.now.Add(time.Minute)
	}
	n := key("k", "ada@acme.example")
	e.queue(n)
	check(outbox.Oldest{1: e.now, 3: start})
	e.must(e.Pause(t.Context(), e.begin(n.ID), "down", e.now.Add(time.Hour), true)) // a paused one is not ready
	e.must(e.Fail(t.Context(), e.begin(reminder("r0", "ada@c0.example").ID), "rejected"))
	check(outbox.Oldest{3: start.Add(time.Minute)})
	if got := e.read(reminder("r1", "ada@c1.example").ID).ReadySince(); !got.Equal(start.Add(time.Minute)) {
		t.Errorf("got ready since %v, want the time at which it was queued", got)
	}
}

func TestMailsAboutSomethingAreReadWithStatesAndReportsInOneQuery(t *testing.T) {
	e := newTestEnv(t)
	r := request.Request{ID: "r1", Details: request.Details{Email: "ada@acme.example"}}
	other := request.Request{ID: "r10", Details: request.Details{Email: "ada@acme.example"}}
	first := notice.RequestReceived(r)
	e.queue(first)
	e.now = e.now.Add(time.Hour)
	second := notice.RequestNew(r)
	e.queue(second, notice.RequestNew(other))
	e.must(e.RecordSent(t.Context(), e.begin(first.ID), "p1"))
	for _, o := range []outbox.Outcome{outbox.Accepted, outbox.Delivered} {
		report := outbox.Report{Mail: first.ID, Attempt: 1, ProviderID: "p1", Recipient: "ada@acme.example", Outcome: o,
			At: e.now}
		e.must(e.table.Transact(t.Context(), table.Create(entity.Encode(report.Key(), rowkey.TypeReport, report))))
	}
	e.table.Reset()
	list, err := e.About(t.Context(), "r1")
	if c := e.table.Counts(); err != nil || c.Queries != 1 || c.Gets != 0 || len(list) != 2 {
		t.Fatalf("got %d mails with %+v, %v, want two with one query", len(list), c, err)
	}
	m := list[0]
	if m.ID != first.ID || m.State.Status != outbox.Sent || len(m.Reports) != 2 || m.Reports[0].ProviderID != "p1" {
		t.Errorf("got %+v, want the first mail, sent, with two reports", m)
	}
	if m := list[1]; m.ID != second.ID || m.State.Status != outbox.Waiting || len(m.Reports) != 0 {
		t.Errorf("got %+v, want the second mail, waiting", m)
	}
	if one := e.read(first.ID); len(one.Reports) != 2 || one.State.Status != outbox.Sent {
		t.Errorf("got %+v, want one mail with its reports", one)
	}
	// A report of a mail that is not there, which a restored table may have.
	orphan := outbox.Report{Mail: "r1--gone", Outcome: outbox.Accepted}
	e.must(e.table.Transact(t.Context(), table.Create(entity.Encode(orphan.Key(), rowkey.TypeReport, orphan))))
	if list, err := e.About(t.Context(), "r1"); err != nil || len(list) != 2 {
		t.Errorf("with a report without its mail: got %+v, %v, want two mails", list, err)
	}
	if none, err := e.About(t.Context(), "r9"); len(none) != 0 || err != nil {
		t.Errorf("about another: got %+v, %v, want none", none, err)
	}
}

// TestMailIsReadApartFromThoseWithLongerIDs reads a mail whose ID begins another's.
func TestMailIsReadApartFromThoseWithLongerIDs(t *testing.T) {
	e := newTestEnv(t)
	n := key("l1", "ada@acme.example")
	repeated := n.Repeated()
	next := n.ToContact(license.Contact{Email: "it@acme.example"})
	e.queue(n, repeated, next)
	e.must(e.RecordSent(t.Context(), e.begin(repeated.ID), "p1"))
	for _, id := range []string{n.ID, repeated.ID, next.ID} {
		if m := e.read(id); m.ID != id {
			t.Errorf("got %s, want %s", m.ID, id)
		}
	}
	e.want("the first", e.status(n.ID), "waiting ready")
	e.table.Reset()
	e.read(n.ID)
	e.want("rows read", e.table.Counts().RowsRead, 1)
}

func TestEachReadyPassesEveryReadyMail(t *testing.T) {
	e := newTestEnvOver(t, &tabletest.Memory{})
	want := map[string]bool{}
	for i := range 40 {
		n := key(fmt.Sprint("k", i), fmt.Sprintf("ada@c%d.example", i))
		if i%2 == 0 {
			n = reminder(fmt.Sprint("r", i), fmt.Sprintf("ada@c%d.example", i))
		}
		e.queue(n)
		want[n.ID] = true
	}
	e.must(e.EachReady(t.Context(), func(m outbox.Mail) error {
		if !want[m.ID] {
			t.Errorf("got %s, want each mail once", m.ID)
		}
		delete(want, m.ID)
		return nil
	}))
	e.want("left", len(want), 0)
	stop := errors.New("stop")
	if err := e.EachReady(t.Context(), func(outbox.Mail) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v, want the function's error", err)
	}
}

// TestShortPagesChangeNothing reads from a table with a row a page.
func TestShortPagesChangeNothing(t *testing.T) {
	e := newTestEnvOver(t, &tabletest.Memory{})
	e.table.ShortPages = true
	for i := range 7 {
		e.queue(key(fmt.Sprint("k", i), "ada@acme.example"))
		e.must(e.Pause(t.Context(), e.begin(fmt.Sprintf("k%d--key", i)), "down", e.now.Add(time.Minute), true))
	}
	e.now = e.now.Add(time.Minute)
	e.want("promoted", e.promote(), 7)
	e.want("ready", len(e.ready(notice.RankUrgent)), 7)
	q, err := e.Queued(t.Context(), 5)
	if err != nil || q.Ready[notice.RankUrgent] != 5 {
		t.Errorf("got %+v, %v, want 5", q, err)
	}
	e.want("state", e.read("k3--key").State.Failures, 1)
}

func TestMailsAreQueuedAndPromotedByManyAtOnce(t *testing.T) {
	e := newTestEnvOver(t, &tabletest.Memory{})
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			c := e.entities.Begin()
			e.QueueLater(c, key(fmt.Sprint("k", i), fmt.Sprintf("ada@c%d.example", i)), e.now)
			if err := c.Commit(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for range 4 {
		wg.Go(func() {
			for shard := range rowkey.Shards {
				if _, err := e.Promote(t.Context(), shard, 100); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	e.want("ready", len(e.ready(notice.RankUrgent)), 20)
}

func TestLetterIsKeptForEachAttempt(t *testing.T) {
	e := newTestEnv(t)
	var expires []time.Time
	size := 0
	e.table.Fault = func(c tabletest.Call) tabletest.Fault {
		for _, w := range c.Writes {
			if strings.HasPrefix(w.Row.PK, "LETTER#") {
				expires = append(expires, w.Row.Expires)
				size = len(w.Row.Data)
			}
		}
		return tabletest.Fault{}
	}
	e.queue(key("l1", "ada@acme.example"))
	sent := mail.Message{ID: id, Kind: mail.LicenseKey, To: mail.Address{Email: "ada@acme.example"},
		Text: strings.Repeat("Your license key. ", 500), Attachments: []mail.Attachment{{Name: "key.txt", Data: []byte{0, 255}}}}
	for attempt := 1; attempt <= 2; attempt++ {
		sent.Attempt = attempt
		m, err := e.Begin(t.Context(), e.read(id), 1, sent)
		e.must(err)
		e.must(e.Release(t.Context(), m))
	}
	for attempt := 1; attempt <= 2; attempt++ {
		got, err := e.Letter(t.Context(), id, attempt)
		if sent.Attempt = attempt; err != nil || fmt.Sprint(got) != fmt.Sprint(sent) {
			t.Errorf("attempt %d: got %v, %v, want %v", attempt, got, err, sent)
		}
	}
	if _, err := e.Letter(t.Context(), id, 3); fault.KindOf(err) != fault.NotFound {
		t.Errorf("third attempt: got %v, want a NotFound fault", err)
	}
	want := e.now.AddDate(0, 13, 0)
	if len(expires) != 2 || !expires[0].Equal(want) || !expires[1].Equal(want) {
		t.Errorf("got expiries %v, want %v", expires, want)
	}
	if size > 1000 {
		t.Errorf("got %d bytes for 9,000 repeated letters, want them compressed", size)
	}
}
