package dispatch

import (
	"context"
	"maps"
	"sync"
	"time"

	"marketplace/shared/alarm"
	"marketplace/shared/logging"
	"marketplace/shared/store/outbox"
)

// published is when the gauges were published the last time. A process remembers it for itself: what two of them
// publish counts once, since the alarms take the greatest value.
type published struct {
	mu sync.Mutex
	at time.Time
}

// due reports whether the gauges are to be published: the last time is long enough ago, or the clock went back.
func (p *published) due(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	ago := now.Sub(p.at)
	return ago < 0 || ago >= alarm.PublishEvery
}

func (p *published) note(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = now
}

// sweep sends what is ready, and then publishes the gauges if they are due: also if the run failed, or another
// Dispatcher is sending, for that may last longer than a period of the alarms.
func (d *Dispatcher) sweep(ctx context.Context) error {
	if d.Watched == nil || !d.published.due(d.Now()) {
		return d.Run(ctx)
	}
	var left outbox.Oldest
	err := d.runAnd(ctx, func(r *run) { left = r.ready() })
	d.publish(ctx, left)
	return err
}

// ready returns what the run leaves ready; nil if it did not look.
func (r *run) ready() outbox.Oldest {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.queue.looked.IsZero() {
		return nil
	}
	left := maps.Clone(r.released)
	for rank, list := range r.queue.ready {
		for _, e := range list {
			left.Add(rank, e.Since())
		}
	}
	return left
}

// publish logs the gauges as metrics. left is what the run left ready; nil if it did not look. A gauge without a value
// is left out.
func (d *Dispatcher) publish(ctx context.Context, left outbox.Oldest) {
	watched, err := d.Watched(ctx)
	if err == nil && left == nil {
		left, err = d.Outbox.OldestReady(ctx)
	}
	if err != nil {
		d.Log.Error("cannot read what the alarms watch", logging.Error(err))
		return
	}
	watched.Oldest = left
	var metrics []logging.Metric
	now := d.Now()
	for _, g := range watched.Gauges(now) {
		if g.Known {
			metrics = append(metrics, logging.Metric{Name: g.Metric, Unit: string(g.Unit), Value: g.Value})
		}
	}
	d.Log.Info("gauges", logging.Metrics(now, metrics...))
	d.published.note(now)
}
