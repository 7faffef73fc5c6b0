package main

import (
	"log/slog"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"marketplace/infra/localdata"
)

// TestCustomerPagesFitAndAreAccessible looks at the customers' pages with the sample data, before and after actions.
func TestCustomerPagesFitAndAreAccessible(t *testing.T) {
	ctx := browser(t)
	s, err := Start(t.Context(), Options{
		Addr: "localhost:0", Data: localdata.Dir(t.TempDir()), Now: time.Now,
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	back := func(to string) {
		t.Helper()
		act(t, ctx, "opening "+to, chromedp.Navigate(to), chromedp.WaitVisible(`main h1`))
	}
	follow := func(name, link string) {
		t.Helper()
		back(see(t, ctx, "the link to "+name, chromedp.Evaluate[string](`document.querySelector('`+link+`').href`)))
		look(t, ctx, name)
	}
	press := func(name, button, then string) {
		t.Helper()
		act(t, ctx, "pressing the button to "+name, chromedp.Click(button), chromedp.WaitVisible(then))
		look(t, ctx, name)
	}
	act(t, ctx, "signing in", chromedp.Navigate(s.URL+"/console"), chromedp.WaitVisible(`.cards`),
		chromedp.Click(`a[href*="ada%40"]`), chromedp.WaitVisible(`.tabs`))
	follow("customers", `header a[href="/console/customers"]`)
	for _, name := range []string{"Alpine", "Tulip", "Quarry", "Sierra"} {
		back(s.URL + "/console/customers?from=" + name)
		follow("customer-"+name, `main tbody th a`)
	}
	back(s.URL + "/console/customers?from=Aurora")
	follow("customer", `main tbody th a`)
	customer := see(t, ctx, "the address", chromedp.Location())
	follow("customer-edit", `a[href$="/edit"]`)
	back(customer)
	follow("customer-contact", `.contacts th a`)
	back(customer)
	follow("customer-merge", `a[href*="/merge"]`)
	act(t, ctx, "finding another", chromedp.SetValue(`#into`, "tulip"), chromedp.Submit(`#into`),
		chromedp.WaitVisible(`#alike-title`))
	look(t, ctx, "customer-merge-found")
	follow("customer-merge-asks", `#alike-title ~ ul a`)
	back(customer)
	follow("customer-end", `a[href$="/end"]`)
	act(t, ctx, "ending the contract", chromedp.SetValue(`#reason`, "unpaid"), chromedp.Submit(`#reason`),
		chromedp.WaitVisible(`.notice.good`))
	look(t, ctx, "customer-ended")
	press("customer-reopened", `.notice.good button`, `a[href$="/end"]`)
	follow("instance", `.instances th a`)
	instance := see(t, ctx, "the address", chromedp.Location())
	follow("instance-edit", `a[href$="/edit"]`)
	back(instance)
	follow("instance-move", `a[href$="/move"]`)
	follow("instance-move-asks", `a[href*="to=C-"]`)
	back(instance)
	press("instance-retired", `form[action$="/retire"] button`, `.tasks form[action$="/resume"]`)
	press("instance-resumed", `.notice.good button`, `form[action$="/retire"]`)
	back(customer)
	act(t, ctx, "writing a note", chromedp.Click(`.tasks summary`), chromedp.SetValue(`#note`, "Call them."),
		chromedp.Submit(`#note`), chromedp.WaitVisible(`.notice.good`))
	look(t, ctx, "customer-note")
}
