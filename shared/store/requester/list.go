package requester

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/request"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// maxListed is how many of the newest requests are read of each customer, and of an address.
const maxListed = 100

// Requests reads the newest requests that were linked to some customers, and those from an address, the newest first.
// Who may see them is for the caller to say.
func (s *Store) Requests(ctx context.Context, customers []string, email string) (list []request.Request, err error) {
	partitions := []string{rowkey.EmailRequestsPK(email)}
	for _, id := range customers {
		partitions = append(partitions, rowkey.CustomerRequestsPK(id))
	}
	found := make([][]table.Row, len(partitions))
	g, reading := errgroup.WithContext(ctx)
	for i, pk := range partitions {
		g.Go(func() (err error) {
			found[i], _, err = s.store.Table().First(reading, table.Query{PK: pk, Descending: true}, maxListed)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("requester: requests: %w", err)
	}
	var keys []table.Key
	for _, row := range slices.Concat(found...) {
		if key := rowkey.Request(row.SK); !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	read, versions, err := entity.GetAll[request.Request](ctx, s.store.Table(), keys)
	if err != nil {
		return nil, fmt.Errorf("requester: requests: %w", err)
	}
	for i, r := range read {
		r.Version = versions[i]
		if !r.Expired(s.store.Now()) {
			list = append(list, r.Known(s.store.Now()))
		}
	}
	slices.SortFunc(list, func(a, b request.Request) int { return cmp.Compare(b.ID, a.ID) })
	return list, nil
}

// Request reads a request as its customer knows it (request.Request.Known). Who may see it is for the caller to say.
func (s *Store) Request(ctx context.Context, id string) (request.Request, error) {
	r, err := s.store.Request(ctx, id)
	return r.Known(s.store.Now()), err
}
