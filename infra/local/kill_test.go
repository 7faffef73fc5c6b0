package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"marketplace/infra/localdata"
	"marketplace/shared/config"
	"marketplace/shared/request"
	"marketplace/shared/store"
)

// compile returns the path of the compiled program.
func compile(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "local")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

// launch starts the compiled program in the folder and returns its address. kill does not let it shut down.
func launch(t *testing.T, program string, data localdata.Dir) (url string, kill func()) {
	t.Helper()
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), "PORT=0", "DATA="+string(data))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	t.Cleanup(kill)
	first, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the program did not start: %v", err)
	}
	return strings.TrimSuffix(regexp.MustCompile(`http://\S+`).FindString(first), "/"), kill
}

// answered is a request that the server answered.
type answered struct{ ID, Email string }

// post sends requests until the server is gone, and reports each answered one.
func post(url string, poster int, tell func(answered)) {
	client := http.Client{Timeout: time.Minute} // a killed server ends the call at once
	for n := 0; ; n++ {
		email := fmt.Sprintf("ada.%d.%d@acme.example", poster, n)
		body := fmt.Sprintf(`{"kind":"evaluation","edition":"developer","serverId":"AWHW8w9JtzBzSrmf9GQX","ncloc":%d,
			"productVersion":"6.7.1","name":"Ada","email":%q,"company":"Acme AG","country":"CH","idempotencyKey":%q}`,
			n, email, email)
		resp, err := client.Post(url+"/api/license-requests", "application/json", strings.NewReader(body))
		if err != nil {
			return
		}
		a := answered{Email: email}
		err = json.NewDecoder(resp.Body).Decode(&a)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusCreated {
			return
		}
		tell(a)
	}
}

func TestAnsweredRequestsSurviveAKill(t *testing.T) {
	if os.Getenv("DYNAMODB_ENDPOINT") != "" {
		t.Skip("the table is the engine's at DYNAMODB_ENDPOINT; this test is about the one in the folder")
	}
	program := compile(t)
	data := localdata.Dir(t.TempDir())
	var all []answered
	for round := range 3 {
		url, kill := launch(t, program, data)
		answers := make(chan answered)
		var posters sync.WaitGroup
		for poster := range 8 {
			posters.Go(func() { post(url, round*8+poster, func(a answered) { answers <- a }) })
		}
		go func() {
			posters.Wait()
			close(answers)
		}()
		life := 0
		for a := range answers {
			all = append(all, a)
			if life++; life == 40+11*round {
				kill()
			}
		}
		if life < 40 {
			t.Errorf("got %d answered requests before the posts ended, want at least 40", life)
		}
	}

	url, _ := launch(t, program, data)
	env := &testEnv{Server: &Server{URL: url}, t: t}
	mails := map[string]int{} // by kind and request
	for _, m := range env.outbox() {
		mails[m.Kind+" "+m.About]++
	}
	for _, a := range all {
		env.get("/api/license-requests/"+a.ID, http.StatusOK)
		if n := mails["request-received "+a.ID]; n != 1 {
			t.Errorf("request %s of %s: got %d emails that ask to confirm it, want 1", a.ID, a.Email, n)
		}
	}
	t.Logf("%d requests were answered in three runs; all are recorded, with their emails", len(all))
}

// requests counts the recorded requests in the folder of a stopped server.
func requests(t *testing.T, data localdata.Dir) int {
	t.Helper()
	engine, done, err := data.OpenTable(t.Context(), config.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	page, err := store.New(engine, store.Options{Now: time.Now}).Queue(t.Context(),
		store.QueueQuery{States: request.States, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return len(page.Requests)
}

func TestKilledFirstStartLeavesNoPartialSample(t *testing.T) {
	if os.Getenv("DYNAMODB_ENDPOINT") != "" {
		t.Skip("the table is the engine's at DYNAMODB_ENDPOINT; this test is about the one in the folder")
	}
	begin := func(data localdata.Dir) {
		s, err := Start(t.Context(), Options{Addr: "localhost:0", Data: data, Now: time.Now,
			Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	whole := localdata.Dir(t.TempDir())
	begin(whole)
	want := requests(t, whole)
	if want < 20 {
		t.Fatalf("got %d requests in the sample, want at least 20", want)
	}

	program := compile(t)
	killed := map[int]int{} // runs by how many requests they left
	for after := 5 * time.Millisecond; killed[want] < 3; after += after / 8 {
		data := localdata.Dir(t.TempDir())
		ctx, cancel := context.WithTimeout(t.Context(), after)
		cmd := exec.CommandContext(ctx, program)
		cmd.Env = append(os.Environ(), "PORT=0", "DATA="+string(data))
		_ = cmd.Run()
		cancel()
		left := requests(t, data)
		killed[left]++
		if left != 0 && left != want {
			t.Errorf("killed after %v: got %d requests, want 0 or %d", after, left, want)
		}
		begin(data)
		if got := requests(t, data); got != want {
			t.Errorf("restarted after a kill at %v: got %d requests, want %d", after, got, want)
		}
	}
	t.Logf("runs by number of requests left behind: %v", killed)
}
