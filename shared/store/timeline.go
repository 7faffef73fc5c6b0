package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/license"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// OfCustomer names a customer that was merged into the one whose timeline is read.
func OfCustomer(id string) string { return "customer/" + id }

// Subject names the license, the request or the customer on whose timeline something is told: one of the three.
type Subject struct{ License, Request, Customer string }

// Key is the row of the license or request, or names the timeline of the customer.
func (s Subject) Key() table.Key {
	switch {
	case s.License != "":
		return rowkey.License(s.License)
	case s.Customer != "":
		return rowkey.CustomerTimeline(s.Customer)
	}
	return rowkey.Request(s.Request)
}

// RequestTimeline reads what happened to a request, oldest first.
func (s *Store) RequestTimeline(ctx context.Context, id string) ([]Event, error) {
	return s.timeline(ctx, Subject{Request: id})
}

// ofLicense is how many of the newest changes of a customer LicenseTimeline looks through.
const ofLicense = 500

// LicenseTimeline reads what happened to a license, oldest first: what touched it alone, and what the newest changes of
// its customer did to it. more: the customer has older ones.
func (s *Store) LicenseTimeline(ctx context.Context, l license.License) (events []Event, more bool, err error) {
	var whole, stopped []Event
	var next string
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		events, err = s.timeline(ctx, Subject{License: l.ID})
		return err
	})
	g.Go(func() (err error) { // what the reader of a reminder did: see Unsubscribe
		stopped, err = s.table.Timeline(ctx, rowkey.Unsubscribed(l.ID, ""))
		return err
	})
	g.Go(func() (err error) {
		whole, next, err = s.table.NewestEvents(ctx, rowkey.CustomerTimeline(l.Customer), ofLicense, "")
		return err
	})
	if err := g.Wait(); err != nil {
		return nil, false, err
	}
	events = append(events, stopped...)
	for _, e := range whole {
		if e.Of == OfLicense(l.ID) {
			e.Of = ""
			events = append(events, e)
		}
	}
	slices.SortStableFunc(events, func(a, b Event) int { return strings.Compare(a.ID, b.ID) })
	return events, next != "", nil
}

// CustomerTimeline reads the newest n changes of some customers, which are merged into one another, with those of their
// contracts, instances and licenses: their lines, oldest first. before is the next of the page before, or the ID of any
// event; "" begins. next is "" if there are no older ones.
func (s *Store) CustomerTimeline(ctx context.Context, customers []string, before string, n int) (
	events []Event, next string, err error) {
	if before != "" {
		before = rowkey.EventPrefix + before
	}
	found := make([][]Event, len(customers))
	nexts := make([]string, len(customers))
	g, ctx := errgroup.WithContext(ctx)
	for i, id := range customers {
		g.Go(func() (err error) {
			found[i], nexts[i], err = s.table.NewestEvents(ctx, rowkey.CustomerTimeline(id), n, before)
			for k := range found[i] {
				if e := &found[i][k]; i > 0 && e.Of == "" {
					e.Of = OfCustomer(id)
				}
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, "", fmt.Errorf("store: timeline of customers %v: %w", customers, err)
	}
	events = slices.Concat(found...)
	slices.SortStableFunc(events, func(a, b Event) int { return strings.Compare(a.ID, b.ID) })
	if newest := newestChanges(events, n); len(newest) < len(events) {
		return newest, newest[0].ID, nil
	}
	if len(events) > 0 && slices.ContainsFunc(nexts, func(next string) bool { return next != "" }) {
		return events, events[0].ID, nil
	}
	return events, "", nil
}

// newestChanges returns the lines of the newest n changes of a timeline.
func newestChanges(events []Event, n int) []Event {
	first := len(events)
	for ; first > 0; first-- {
		if first < len(events) && events[first-1].ID == events[first].ID {
			continue
		}
		if n == 0 {
			break
		}
		n--
	}
	return events[first:]
}

func (s *Store) timeline(ctx context.Context, of Subject) ([]Event, error) {
	events, err := s.table.Timeline(ctx, of.Key())
	if err != nil {
		return nil, fmt.Errorf("store: timeline of %s: %w", of.Key().PK, err)
	}
	return events, nil
}
