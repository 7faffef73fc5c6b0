package site

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"marketplace/shared/request"
)

// browserTab is a tab of the browser that CHROMIUM names, in which somebody is signed in.
type browserTab struct {
	context.Context
	t   *testing.T
	url string // of the console
}

// inBrowser opens a tab for a person.
func (w *testEnv) inBrowser(t *testing.T, who string) browserTab {
	t.Helper()
	program := os.Getenv("CHROMIUM")
	if program == "" {
		t.Skip("CHROMIUM names no browser; .ci/run installs one")
	}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		for _, c := range w.gate.cookies[who] {
			r.AddCookie(c)
		}
		w.site.ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithAllocatorOptions(
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-component-update", true)))
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // the browser lives as long as this context
		t.Fatalf("starting %s: %v", program, err)
	}
	return browserTab{ctx, t, server.URL}
}

type browserStep = chromedp.Action[chromedp.Void]

// act does what a person does, and says what failed where.
func (b browserTab) act(what string, steps ...browserStep) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b, 20*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		text, _ := chromedp.Run(b, chromedp.Evaluate[string]("document.body.innerText"))
		b.t.Fatalf("%s: %v; on the page: %s", what, err, text)
	}
}

// measure evaluates an expression on the page.
func measure[T any](b browserTab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

func colors(scheme string) browserStep {
	return func(ctx context.Context, _ *chromedp.Target) (v chromedp.Void, err error) {
		_, err = chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return v, err
	}
}

// look saves screenshots of the page in the folder SCREENSHOTS, if set: wide, on a laptop and on a phone, light and
// dark. It fails where a page is wider than its window, and where axe-core, the script that AXE names, finds a fault.
func (b browserTab) look(name string) {
	b.t.Helper()
	for _, window := range []struct {
		name          string
		width, height int64
	}{{"wide", 1680, 1050}, {"laptop", 1280, 800}, {"phone", 375, 812}} {
		for _, scheme := range []string{"light", "dark"} {
			b.act("looking at "+name, chromedp.EmulateViewport(window.width, window.height), colors(scheme))
			if needed := measure[int64](b, `document.documentElement.scrollWidth`); needed > window.width {
				b.t.Errorf("%s is %d pixels wide in a window of %d", name, needed, window.width)
			}
			b.audit(fmt.Sprintf("%s, %s, %s", name, window.name, scheme))
			if folder := os.Getenv("SCREENSHOTS"); folder != "" {
				picture, err := chromedp.Run(b, chromedp.FullScreenshot(100))
				if err != nil {
					b.t.Fatal(err)
				}
				file := filepath.Join(folder, name+"-"+window.name+"-"+scheme+".png")
				if err := os.WriteFile(file, picture, 0o644); err != nil {
					b.t.Fatal(err)
				}
			}
		}
	}
}

func (b browserTab) audit(name string) {
	b.t.Helper()
	if os.Getenv("AXE") == "" {
		return
	}
	script, err := os.ReadFile(os.Getenv("AXE"))
	if err != nil {
		b.t.Fatal(err)
	}
	b.act("loading axe-core", chromedp.Evaluate[chromedp.Void](string(script)))
	faults, err := chromedp.Run(b, chromedp.Evaluate[[]string](`axe.run(document, {resultTypes: ["violations"]}).then(
		r => r.violations.flatMap(v =>
			v.nodes.map(n => v.id + " at " + n.target.join(" ") + ": " + n.failureSummary)))`,
		chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, fault := range faults {
		b.t.Errorf("%s: %s", name, fault)
	}
}

// laptop is the window that the generator's form has to do with.
const laptopWidth, laptopHeight = 1280, 800

// opens opens a page of the generator on a laptop. Its form takes at most two screens, and the bar that stays little.
func (b browserTab) opens(name, path string) {
	b.t.Helper()
	b.act("opening "+path, chromedp.EmulateViewport(laptopWidth, laptopHeight), chromedp.Navigate(b.url+path),
		chromedp.WaitVisible("form.wizard .send"))
	if height := measure[int64](b, `document.documentElement.scrollHeight`); height > 2*laptopHeight {
		b.t.Errorf("%s: the page is %d pixels high, want at most %d", name, height, 2*laptopHeight)
	} else {
		b.t.Logf("%s: the page is %d pixels high", name, height)
	}
	if height := measure[float64](b, `document.querySelector(".send").getBoundingClientRect().height`); height > 60 {
		b.t.Errorf("%s: the bar takes %v pixels, want at most 60", name, height)
	}
	if beside := measure[bool](b, `document.querySelector(".record").getBoundingClientRect().top <=
		document.querySelector("form.wizard").getBoundingClientRect().top + 1`); !beside {
		b.t.Errorf("%s: what is on record is not beside the form", name)
	}
}

func TestGeneratorTakesTwoScreensOfALaptop(t *testing.T) {
	s := newStory(t)
	asked := s.asks(request.New, func(d *request.Details) {
		d.Message = "Please hurry.\nWe start on Monday, and our evaluation ends soon."
	})
	b := s.inBrowser(t, sam)
	b.opens("first-purchase", issueFor(asked))
	b.look("first-purchase")
	b.act("reviewing", chromedp.Click(`.send button`), chromedp.WaitVisible("#mail-title"))
	b.look("first-purchase-review")

	first := s.sells()
	s.advance(330 * 24 * time.Hour)
	renewal := s.asks(request.Renewal, func(d *request.Details) { d.WantedLoc = 1_000_000 })
	b.opens("renewal", issueFor(renewal))
	b.look("renewal")
	b.act("reviewing", chromedp.Click(`.send button`), chromedp.WaitVisible("#mail-title"))
	b.look("renewal-review")
	b.opens("renewal-of-a-license", renew(first))
	b.opens("upgrade", "/console/licenses/"+first.ID+"/upgrade")
	b.opens("without-a-request", "/console/licenses/new")
	b.opens("for-a-customer", customerPage(s.of(first).Customer)+"/issue")
	replaced := s.asks(request.Replacement, func(d *request.Details) {
		d.Server, d.Replaces, d.OldServer = "4A6F8E2B-"+production1, production1, request.OldStopped
		d.Environment = request.ProductionUse
	})
	b.opens("replacement", issueFor(replaced))
}

// TestFieldsAppearWhereTheyApply uses the form's conditional fields, which work without a script.
func TestFieldsAppearWhereTheyApply(t *testing.T) {
	s := newStory(t)
	s.sells()
	b := s.inBrowser(t, sam)
	second := s.asks(request.New, func(d *request.Details) { d.Server = "CWHW8w9JtzBzSrmf9GQ9" })
	b.act("opening", chromedp.EmulateViewport(laptopWidth, laptopHeight), chromedp.Navigate(b.url+issueFor(second)),
		chromedp.WaitVisible("form.wizard .send"))
	visible := func(id string) bool {
		return measure[bool](b, fmt.Sprintf(`document.getElementById(%q)?.checkVisibility() ?? false`, id))
	}
	choose := func(id, value string) {
		b.act("choosing "+value, func(ctx context.Context, tab *chromedp.Target) (v chromedp.Void, err error) {
			_, err = chromedp.Evaluate[bool](fmt.Sprintf(`(() => {
				const s = document.getElementById(%q);
				const o = [...s.options].find(o => o.value.startsWith(%q));
				s.value = o.value; s.dispatchEvent(new Event("change", {bubbles: true}));
				return true })()`, id, value))(ctx, tab)
			return v, err
		})
	}
	for _, step := range []struct {
		what   string
		do     func()
		field  string
		before bool
		after  bool
	}{
		{"staging", func() { b.act("staging", chromedp.Click("#type-STAGING")) }, "production", false, true},
		{"a contract as it is", func() { choose("contract", "under:") }, "stagingCount", true, false},
		{"a renewed contract", func() { choose("contract", "renew:") }, "stagingCount", false, true},
		{"another address", func() { choose("to", "other") }, "email", false, true},
		{"another customer", func() { b.act("other", chromedp.Click("#customer-other")) }, "customerReference", false,
			true},
		{"community", func() { choose("edition", "community") }, "tailored-yes", false, true},
	} {
		if got := visible(step.field); got != step.before {
			t.Errorf("before %s: field %s shown: %v, want %v", step.what, step.field, got, step.before)
		}
		step.do()
		if got := visible(step.field); got != step.after {
			t.Errorf("after %s: field %s shown: %v, want %v", step.what, step.field, got, step.after)
		}
	}
}
