package main

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// queue is a queue of SQS, on the movable clock. Messages become visible in the order in which they were sent.
type queue struct {
	arn        string
	delay      time.Duration
	visibility time.Duration // how long a received message is hidden
	redrive    *queue        // gets what was received too often; nil: nothing is
	receives   int           // how often at most

	mu       sync.Mutex
	sent     int
	messages []*message
}

type message struct {
	id, body string
	visible  time.Time
	sent     time.Time
	received int
}

func (q *queue) send(body string, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.sent++
	id := fmt.Sprintf("059f36b4-87a3-44ab-83d2-%012d", q.sent)
	q.messages = append(q.messages, &message{id: id, body: body, sent: now, visible: now.Add(q.delay)})
}

// receive returns up to size visible messages once there are so many, or the first has been visible for the window.
// What was received too often goes to the redrive queue instead.
func (q *queue) receive(size int, window time.Duration, now time.Time) (batch []message) {
	q.mu.Lock()
	var dead []string
	q.messages = slices.DeleteFunc(q.messages, func(m *message) bool {
		if q.redrive == nil || m.received < q.receives || m.visible.After(now) {
			return false
		}
		dead = append(dead, m.body)
		return true
	})
	var ready []*message
	for _, m := range q.messages {
		if !m.visible.After(now) {
			ready = append(ready, m)
		}
	}
	waited := func(m *message) bool { return !m.visible.Add(window).After(now) }
	if len(ready) >= size || slices.ContainsFunc(ready, waited) {
		for _, m := range ready[:min(size, len(ready))] {
			m.received++
			m.visible = now.Add(q.visibility)
			batch = append(batch, *m)
		}
	}
	q.mu.Unlock()
	for _, body := range dead {
		q.redrive.send(body, now)
	}
	return batch
}

// remove deletes the messages with these IDs.
func (q *queue) remove(ids []string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.messages = slices.DeleteFunc(q.messages, func(m *message) bool { return slices.Contains(ids, m.id) })
}

// bodies returns the texts of all messages.
func (q *queue) bodies() (bodies []string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, m := range q.messages {
		bodies = append(bodies, m.body)
	}
	return bodies
}
