package sesfront

import (
	"math/rand/v2"
	"time"

	"marketplace/functions/mailevents/feedback/feedbacktest"
)

// Mix is a random behaviour: probabilities from 0 to 1. The zero Mix is Well.
type Mix struct {
	Fault  float64 // that a call fails in one of the ways of Faults, each as often
	Faults []Fault

	// What becomes of an accepted mail; the rest is delivered. Together at most 1.
	Returned, Absent, Bounced, Complained, Refused float64

	// Of each event alone.
	Missing float64 // never published
	Twice   float64
	Early   float64       // published before the call is answered
	Late    float64       // published later, by up to MaxLate, so that events change their order
	MaxLate time.Duration // 0 means ten minutes
	Delayed float64       // of a mail: a DeliveryDelay first
}

// Behave returns the behaviour, which takes its randomness from r.
func (m Mix) Behave(r *rand.Rand) func(Call) Behaviour {
	return func(Call) (b Behaviour) {
		if r.Float64() < m.Fault && len(m.Faults) > 0 {
			b.Fault = m.Faults[r.IntN(len(m.Faults))]
		}
		b.Events = m.Events(r)
		return b
	}
}

// Events returns the events of a mail that was accepted.
func (m Mix) Events(r *rand.Rand) (events []Event) {
	all := []Event{{Event: feedbacktest.Send()}}
	if r.Float64() < m.Delayed {
		all = append(all, Event{Event: feedbacktest.Delay("General"), After: 5 * time.Minute})
	}
	delivery := Event{Event: feedbacktest.Delivery(), After: 2 * time.Second}
	switch x := r.Float64(); {
	case x < m.Returned:
		all = append(all, Event{Event: feedbacktest.SoftBounce(), After: 14 * time.Hour})
	case x < m.Returned+m.Absent:
		all = append(all, delivery, Event{Event: feedbacktest.Absence(), After: 5 * time.Second})
	case x < m.Returned+m.Absent+m.Bounced:
		all = append(all, Event{Event: feedbacktest.HardBounce(), After: 3 * time.Second})
	case x < m.Returned+m.Absent+m.Bounced+m.Complained:
		all = append(all, delivery, Event{Event: feedbacktest.Complaint("abuse"), After: 6 * time.Hour})
	case x < m.Returned+m.Absent+m.Bounced+m.Complained+m.Refused:
		all = append(all, Event{Event: feedbacktest.Reject(), After: time.Second})
	default:
		all = append(all, delivery)
	}
	late := m.MaxLate
	if late == 0 {
		late = 10 * time.Minute
	}
	for _, e := range all {
		if r.Float64() < m.Missing {
			continue
		}
		if r.Float64() < m.Twice {
			e.Times = 2
		}
		switch x := r.Float64(); {
		case x < m.Early:
			e.Early = true
		case x < m.Early+m.Late:
			e.After += time.Duration(r.Int64N(int64(late)))
		}
		events = append(events, e)
	}
	return events
}
