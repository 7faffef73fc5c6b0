package smoke

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// requestsPath is where the pages of requests are.
const requestsPath = "/requests/"

// write files a request, opens its page, and withdraws it with the link in the email that asks to confirm it.
func (s *site) write(ctx context.Context, out io.Writer) error {
	body, err := json.Marshal(map[string]string{
		"kind": "evaluation", "edition": "developer", "serverId": "AWHW8w9JtzBzSrmf9GQX", "ncloc": "120000",
		"productVersion": "6.7", "name": "Smoke test", "email": s.Write, "company": "Smoke test", "country": "CH",
		"message": "A smoke test filed this. Nobody needs to answer.",
	})
	if err != nil {
		return err
	}
	const p = "/api/license-requests"
	a, err := s.ask(ctx, http.MethodPost, s.Site+p, string(body), maxBody, "Content-Type", "application/json")
	if err == nil {
		err = a.status(p, http.StatusCreated)
	}
	if err != nil {
		return err
	}
	var filed struct{ ID, Reference, StatusURL string }
	if err := json.Unmarshal(a.body, &filed); err != nil || filed.ID == "" {
		return fmt.Errorf("%s: got no request", p)
	}
	left := fmt.Sprintf("%s is left: open the link in the email to %s and answer that you did not send it, "+
		"or it closes by itself", filed.Reference, s.Write)
	if !within(filed.StatusURL, s.Site) {
		return fmt.Errorf("got the private link on %s, want it on %s; %s",
			hostOf(filed.StatusURL), hostOf(s.Site), left)
	}
	if a, err = s.get(ctx, filed.StatusURL); err == nil {
		err = a.status("the page of the request", http.StatusOK)
	}
	if err == nil && !strings.Contains(string(a.body), filed.Reference) {
		err = errors.New("the page of the request does not show it")
	}
	if err != nil {
		return fmt.Errorf("%w; %s", err, left)
	}
	link := ""
	if s.Link != nil {
		link = s.Link(filed.Reference)
	}
	if link == "" {
		fmt.Fprintf(out, "ok      request: filed; %s\n", left)
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.limit)
	defer cancel()
	if err := s.withdraw(ctx, filed.ID, link); err != nil {
		return fmt.Errorf("%w; %s", err, left)
	}
	fmt.Fprintf(out, "ok      request: %s was filed, emailed and withdrawn\n", filed.Reference)
	return nil
}

// withdraw answers by the link in the email that nobody sent the request, which closes it.
func (s *site) withdraw(ctx context.Context, id, text string) error {
	link, err := url.Parse(strings.TrimSpace(text))
	if err != nil || link.Query().Get("confirm") == "" || !strings.HasSuffix(link.Path, requestsPath+id) {
		return errors.New("this is not the link in the email about the request")
	}
	if !within(link.String(), s.Site) {
		return fmt.Errorf("got a link to %s in the email, want one to %s", link.Host, hostOf(s.Site))
	}
	form := url.Values{"answer": {"no"}, "request": {id}, "listed": {id}}
	a, err := s.ask(ctx, http.MethodPost, link.String(), form.Encode(), maxBody,
		"Content-Type", "application/x-www-form-urlencoded")
	if err == nil {
		err = a.status("withdrawing", http.StatusSeeOther)
	}
	if err != nil {
		return err
	}
	const p = "/api/license-requests/"
	if a, err = s.get(ctx, s.Site+p+id); err == nil {
		err = a.status(p, http.StatusOK)
	}
	if err != nil {
		return err
	}
	var now struct{ State string }
	if err := json.Unmarshal(a.body, &now); err != nil || now.State != "withdrawn" {
		return fmt.Errorf("got the state %q after withdrawing, want withdrawn", now.State)
	}
	return nil
}
