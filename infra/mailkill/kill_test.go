package mailkill

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"marketplace/functions/mailevents/feedback"
	"marketplace/functions/mailevents/feedback/feedbacktest"
	"marketplace/functions/reminders/daily"
	"marketplace/infra/sesfront"
	"marketplace/shared/license"
	"marketplace/shared/mail/eml"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/deletion"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/storetest"
	"marketplace/shared/table"
	"marketplace/shared/table/bolt"
)

// Of functions/mailer/dispatch: how long the lease of a dead mailer lasts, for which the next one waits, and how many
// calls whose outcome nobody knows are made for a mail.
const (
	leaseLength = 30 * time.Second
	maxDoubts   = 3
)

// mails is how many mails wait at the beginning.
const mails = 1000

// TestKilledMailerLosesNoMail kills the process of the mailer with SIGKILL at random moments. MAIL_KILLS is how often;
// 15 without it.
func TestKilledMailerLosesNoMail(t *testing.T) {
	kills := 15
	if n, err := strconv.Atoi(os.Getenv("MAIL_KILLS")); err == nil {
		kills = n
	}
	for name, held := range map[string]bool{"events delivered": false, "events held back": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &run{
				T: t, path: filepath.Join(t.TempDir(), "table.db"), random: rand.New(rand.NewPCG(8, uint64(kills))),
				held: held,
			}
			r.play(kills)
		})
	}
}

// run is a thousand mails and the processes that send them.
type run struct {
	*testing.T
	path   string
	random *rand.Rand
	held   bool         // the provider's events are held back
	ahead  atomic.Int64 // nanoseconds by which the processes' clock is ahead of the computer's

	front    *sesfront.Front
	url      string
	events   []string // published and not delivered yet
	ids      []string
	underWay int // calls that had begun at the kills and were not recorded
}

func (r *run) now() time.Time { return time.Now().Add(time.Duration(r.ahead.Load())) }

func (r *run) play(kills int) {
	r.serve()
	r.fill()
	for range kills {
		r.kill(r.start(), mails/(kills+1))
		r.ahead.Add(int64(leaseLength))
		r.settle()
	}
	for range 5 { // what is in doubt waits for half an hour at the most, three times
		r.finish()
		r.ahead.Add(int64(31 * time.Minute))
		r.settle()
	}
	r.check(kills)
}

// serve starts the provider. It takes a while for each mail, before it accepts it and after, and rejects one of a
// hundred. Its events come a minute later, as those of SES do (template.yaml).
func (r *run) serve() {
	const late = time.Minute
	r.front = sesfront.New(sesfront.Options{
		Now:     r.now,
		Publish: func(event string) { r.events = append(r.events, event) },
		Behave: func(c sesfront.Call) (b sesfront.Behaviour) {
			if rejected(c.Mail.ID) {
				b.Fault = sesfront.Reject
			}
			b.Events = []sesfront.Event{
				{Event: feedbacktest.Send(), After: late}, {Event: feedbacktest.Delivery(), After: late + 2*time.Second},
			}
			return b
		},
	})
	pause := func() { time.Sleep(time.Duration(rand.IntN(8)) * time.Millisecond) }
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		pause()
		answer := httptest.NewRecorder()
		r.front.Handler().ServeHTTP(answer, q)
		pause()
		w.WriteHeader(answer.Code)
		answer.Body.WriteTo(w)
	}))
	r.Cleanup(server.Close)
	r.url = server.URL
}

func rejected(id string) bool { return strings.Contains(id, "reject") }

// open calls f with the store while no process of the mailer has it.
func (r *run) open(f func(s *delivery.Store)) {
	r.Helper()
	tab, err := bolt.Open(r.path)
	if err != nil {
		r.Fatal(err)
	}
	defer tab.Close()
	f(delivery.New(store.New(tab, store.Options{Now: r.now})))
}

// fill queues the mails: of requests, some of which sales have begun to work on; keys, some of licenses that were
// revoked; and reminders.
func (r *run) fill() {
	tab, err := bolt.Open(r.path)
	if err != nil {
		r.Fatal(err)
	}
	defer tab.Close()
	ctx, n := r.Context(), 0
	newID := func() string {
		n++
		return fmt.Sprintf("%s%04d", map[bool]string{true: "reject", false: "r"}[n%100 == 0], n)
	}
	recorder := &recordingTable{}
	must := func(err error) {
		r.Helper()
		if err != nil {
			r.Fatal(err)
		}
	}
	must(tab.Fill(ctx, func(filling table.Table) error {
		recorder.Table = filling
		s := delivery.New(store.New(recorder, store.Options{Now: r.now, NewID: newID}))
		for i := range 250 {
			filed, _, err := storetest.FileRequest(ctx, s, request.Details{
				Kind: request.New, Edition: license.Developer, Loc: 120_000, ProductVersion: "6.7",
				Server: license.Server(fmt.Sprintf("AWHW8w9JtzBzSrm%05d", i)), Name: "Ada Lovelace",
				Email: fmt.Sprintf("ada@host%d.example", i%90), Company: "Analytical Engines", Country: "England",
			}, "")
			if must(err); i%5 == 0 {
				taken := store.Review{ID: filed.ID, Version: filed.Version, By: "sam", To: request.InReview}
				_, err := s.Review(ctx, taken)
				must(err)
			}
		}
		today := license.DateOf(r.now())
		for i := range 260 { // of twenty customers, two licenses are due, which is one mail
			l := license.License{
				ID: newID(), Type: license.Production, Organization: fmt.Sprintf("Company %d", i%240),
				Edition: license.Developer, Server: license.Server(fmt.Sprintf("BWHW8w9JtzBzSrm%05d", i)),
				MaxLoc: 1, KeyText: "Rm9ybWF0PTEK",
				Expiration: today.AddMonths(1),
			}
			eve := license.Contact{Email: fmt.Sprintf("eve@host%d.example", i%240)}
			storetest.Record(r, s.Store, l, eve)
			must(s.SendKeyAgain(ctx, l.ID, "sam", eve, "n"))
		}
		return daily.New(daily.Options{
			Store: s, Deletion: deletion.New(s.Store), Now: r.now, Log: slog.New(slog.DiscardHandler),
		}).Run(ctx)
	}))
	r.ids = recorder.mails
	if len(r.ids) != mails {
		r.Fatalf("got %d mails, want %d", len(r.ids), mails)
	}
}

// start starts a process of the mailer.
func (r *run) start(more ...string) *exec.Cmd {
	r.Helper()
	self, err := os.Executable()
	if err != nil {
		r.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), append(more, tableVariable+"="+r.path, sesVariable+"="+r.url,
		aheadVariable+"="+time.Duration(r.ahead.Load()).String())...)
	cmd.Stdout, cmd.Stderr = io.Discard, os.Stderr
	if err := cmd.Start(); err != nil {
		r.Fatal(err)
	}
	return cmd
}

// kill kills a process after about n calls to the provider, and counts the calls that it had begun.
func (r *run) kill(cmd *exec.Cmd, n int) {
	r.Helper()
	last := r.front.Calls() + 1 + r.random.IntN(2*n)
	for limit := time.Now().Add(10 * time.Second); r.front.Calls() < last && time.Now().Before(limit); {
		time.Sleep(100 * time.Microsecond)
	}
	time.Sleep(time.Duration(r.random.IntN(8)) * time.Millisecond)
	if err := cmd.Process.Kill(); err != nil {
		r.Fatal(err)
	}
	cmd.Wait()
	r.open(func(s *delivery.Store) {
		for _, id := range r.ids {
			m, err := s.Outbox().Read(r.Context(), id)
			if err != nil {
				r.Fatal(err)
			}
			if m.State.Status == outbox.Sending && m.State.Call.At.Add(leaseLength).After(r.now()) {
				r.underWay++
			}
		}
	})
}

// finish lets a process send what is ready.
func (r *run) finish() {
	r.Helper()
	if err := r.start(untilIdleVariable + "=1").Wait(); err != nil {
		r.Fatal(err)
	}
}

// settle delivers the provider's events as SQS does, if they are not held back.
func (r *run) settle() {
	r.Helper()
	if r.held {
		return
	}
	r.front.PublishDue()
	r.open(func(s *delivery.Store) {
		job := feedback.New(feedback.Options{Store: s, Now: r.now, Log: slog.New(slog.DiscardHandler)})
		for batch := range slices.Chunk(r.events, 10) {
			answer, err := job.Invoke(r.Context(), feedbacktest.Batch(batch...))
			if err != nil || !bytes.Equal(answer, []byte(`{"batchItemFailures":[]}`)) {
				r.Fatalf("got %s, %v; want all events recorded", answer, err)
			}
		}
	})
	r.events = nil
}

// check fails unless every mail was sent, or had no point, or was rejected, and counts those that were accepted twice.
func (r *run) check(kills int) {
	accepted, flagged := map[string]int{}, map[string]int{}
	for _, a := range r.front.Accepted() {
		accepted[a.ID]++
		m, err := eml.Parse(bytes.NewReader(a.Raw))
		if err != nil {
			r.Fatal(err)
		}
		if strings.Contains(m.Text, "If you have received this email before") {
			flagged[a.ID]++
		}
	}
	statuses, twice := map[string]int{}, 0
	r.open(func(s *delivery.Store) {
		for _, id := range r.ids {
			m, err := s.Outbox().Read(context.Background(), id)
			if err != nil {
				r.Fatal(err)
			}
			n, status := accepted[id], m.State.Status
			unknown := status == outbox.Failed && m.State.Doubts == maxDoubts
			switch {
			case rejected(id):
				statuses["rejected"]++
			case unknown:
				statuses["given up after three calls without an answer"]++
			default:
				statuses[string(status)]++
			}
			switch {
			case status == outbox.Sent && n == 0, status == outbox.Pointless && n > 0,
				status == outbox.Failed && !rejected(id) && (!unknown || !r.held), status.Open(), n > maxDoubts,
				n-flagged[id] > 1:
				r.Errorf("mail %s: got %s, accepted %d times, of which %d say that they may be a copy: %+v",
					id, status, n, flagged[id], m.State)
			}
			if n > 1 {
				twice++
			}
		}
		if q, err := s.QueuedMails(context.Background(), 10); err != nil || q.Total() > 0 {
			r.Errorf("got %+v that wait, %v; want none", q, err)
		}
	})
	events, most := "delivered", mails/100
	if r.held {
		events, most = "held back", r.underWay
	}
	if twice > most {
		r.Errorf("got %d mails accepted twice with events %s, want %d at most", twice, events, most)
	}
	var ends []string
	for _, status := range slices.SortedFunc(maps.Keys(statuses), func(a, b string) int {
		return cmp.Or(statuses[b]-statuses[a], strings.Compare(a, b))
	}) {
		ends = append(ends, fmt.Sprintf("%d %s", statuses[status], status))
	}
	r.Logf("%d kills, events %s: %d calls under way at the kills; %s; %d accepted twice, 0 lost", kills, events,
		r.underWay, strings.Join(ends, ", "), twice)
}

// recordingTable remembers the IDs of the mails that are queued.
type recordingTable struct {
	table.Table
	mu    sync.Mutex
	mails []string
}

func (t *recordingTable) Transact(ctx context.Context, writes ...table.Write) error {
	err := t.Table.Transact(ctx, writes...)
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, w := range writes {
		if err == nil && strings.HasPrefix(w.Row.PK, "MAILS#") && !strings.Contains(w.Row.SK, "#") {
			t.mails = append(t.mails, w.Row.SK)
		}
	}
	return err
}
