package bolt_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"marketplace/shared/table"
	"marketplace/shared/table/bolt"
)

// childVariable names the file of the process that TestAKilledProcess… kills: this test program, run again.
const childVariable = "BOLT_TEST_CHILD"

func TestMain(m *testing.M) {
	if path := os.Getenv(childVariable); path != "" {
		if err := writeForever(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

func row(pk, sk string) table.Row {
	return table.Row{Key: table.Key{PK: pk, SK: sk}, Type: "note", Schema: 1, Data: json.RawMessage(`{"n":1}`)}
}

// parts are the partitions in which each transaction of writeForever writes a row.
var parts = []string{"request", "queue", "outbox"}

// writeForever writes transactions from several goroutines and prints the name of each that was answered.
func writeForever(path string) error {
	tab, err := bolt.Open(path)
	if err != nil {
		return err
	}
	failed := make(chan error)
	for worker := range 8 {
		go func() {
			for n := 0; ; n++ {
				name := fmt.Sprintf("%d-%d", worker, n)
				var writes []table.Write
				for _, part := range parts {
					writes = append(writes, table.Create(row(part, name)))
				}
				if err := tab.Transact(context.Background(), writes...); err != nil {
					failed <- err
					return
				}
				fmt.Println(name)
			}
		}()
	}
	return <-failed
}

func TestAKilledProcessLeavesEveryAnsweredTransactionAndNoHalfOne(t *testing.T) {
	for round := range 3 {
		t.Run(strconv.Itoa(round), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "table.db")
			child := exec.Command(os.Args[0])
			child.Env = append(os.Environ(), childVariable+"="+path)
			child.Stderr = os.Stderr
			out, err := child.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := child.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewReader(out)
			var answered []string
			for {
				line, err := lines.ReadString('\n')
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				answered = append(answered, strings.TrimSpace(line))
				if len(answered) == 150+100*round {
					if err := child.Process.Kill(); err != nil {
						t.Fatal(err)
					}
				}
			}
			child.Wait() // killed: its error is expected
			if len(answered) < 150 {
				t.Fatalf("the child ended after %d transactions", len(answered))
			}

			tab := open(t, path)
			found := map[string]int{}
			for _, part := range parts {
				err := table.All(t.Context(), tab, table.Query{PK: part},
					func(r table.Row) error { found[r.SK]++; return nil })
				if err != nil {
					t.Fatal(err)
				}
			}
			for _, name := range answered {
				if found[name] == 0 {
					t.Errorf("transaction %s was answered and is not there", name)
				}
			}
			for name, n := range found {
				if n != len(parts) {
					t.Errorf("transaction %s has %d of %d rows", name, n, len(parts))
				}
			}
			t.Logf("%d answered, %d found", len(answered), len(found))
		})
	}
}

func TestAFileOpenElsewhereIsSaidClearly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table.db")
	open(t, path)
	_, err := bolt.Open(path)
	if err == nil || !strings.Contains(err.Error(), "another process has "+path+" open") {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsNotATableFileIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("not a table ", 10_000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{path, filepath.Join(path, "below-a-file")} {
		if _, err := bolt.Open(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("got %v; want an error that names %s", err, path)
		}
	}
}

func TestARestartFindsWhatWasWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table.db")
	tab := open(t, path)
	want := row("p", "s")
	want.Expires = time.Unix(1_900_000_000, 0).UTC()
	if err := tab.Transact(t.Context(), table.Create(want)); err != nil {
		t.Fatal(err)
	}
	if err := tab.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := open(t, path).Get(t.Context(), want.Key)
	want.Version = 1
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

func TestACallAfterCloseIsUnavailable(t *testing.T) {
	tab := open(t, filepath.Join(t.TempDir(), "table.db"))
	if err := tab.Close(); err != nil {
		t.Fatal(err)
	}
	_, get := tab.Get(t.Context(), table.Key{PK: "p", SK: "s"})
	_, query := tab.Query(t.Context(), table.Query{PK: "p"})
	_, sweep := tab.Sweep(time.Unix(0, 0))
	transact := tab.Transact(t.Context(), table.Create(row("p", "s")))
	for call, err := range map[string]error{"Get": get, "Query": query, "Sweep": sweep, "Transact": transact} {
		if !errors.Is(err, table.ErrUnavailable) {
			t.Errorf("%s: got %v; want ErrUnavailable", call, err)
		}
	}
}

func TestSweepDeletesWhatHadExpiredAndNothingElse(t *testing.T) {
	tab := open(t, filepath.Join(t.TempDir(), "table.db"))
	now := time.Date(2030, 1, 1, 0, 0, 0, 500, time.UTC)
	for sk, expires := range map[string]time.Time{
		"never": {}, "before": now.Add(-time.Second), "this second": now, "after": now.Add(time.Second),
		"long ago": time.Unix(1, 0),
	} {
		r := row("p", sk)
		r.Expires = expires
		if err := tab.Transact(t.Context(), table.Create(r)); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []int{2, 0} {
		if n, err := tab.Sweep(now); err != nil || n != want {
			t.Errorf("Sweep: got %d, %v; want %d", n, err, want)
		}
	}
	page, err := tab.Query(t.Context(), table.Query{PK: "p"})
	if err != nil || len(page.Rows) != 3 {
		t.Errorf("got %v, %v; want the rows never, this second and after", page.Rows, err)
	}
}

func TestAPageEndsAfterAMegabyte(t *testing.T) {
	tab := open(t, filepath.Join(t.TempDir(), "table.db"))
	for i := range 5 {
		r := row("p", fmt.Sprint(i))
		r.Data = json.RawMessage(`{"s":"` + strings.Repeat("x", 380<<10) + `"}`)
		if err := tab.Transact(t.Context(), table.Create(r)); err != nil {
			t.Fatal(err)
		}
	}
	page, err := tab.Query(t.Context(), table.Query{PK: "p"})
	if err != nil || len(page.Rows) != 3 || page.Next != "2" {
		t.Errorf("got %d rows, next %q, %v; want 3 rows and more", len(page.Rows), page.Next, err)
	}
}

// Transact of many at once must cost few round trips to the disk; of one alone, it must not wait for company.
func BenchmarkTransact(b *testing.B) {
	for _, writers := range []int{1, 32} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			tab, err := bolt.Open(filepath.Join(b.TempDir(), "table.db"))
			if err != nil {
				b.Fatal(err)
			}
			defer tab.Close()
			work := make(chan int)
			var group sync.WaitGroup
			for range writers {
				group.Go(func() {
					for n := range work {
						err := tab.Transact(b.Context(), table.Create(row("a", fmt.Sprint(n))),
							table.Create(row("b", fmt.Sprint(n))))
						if err != nil {
							b.Error(err)
						}
					}
				})
			}
			for n := 0; b.Loop(); n++ {
				work <- n
			}
			close(work)
			group.Wait()
		})
	}
}
