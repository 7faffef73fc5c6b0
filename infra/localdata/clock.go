package localdata

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"
)

// Clock is the real clock, moved by an offset. The offset is kept in the folder, so that a restart does not turn back
// the time that the data has seen.
type Clock struct {
	real func() time.Time
	path string

	mu     sync.Mutex
	offset time.Duration
}

// clockFile is what is kept: {"offset": "24h0m0s"}.
type clockFile struct {
	Offset string `json:"offset"`
}

// OpenClock opens the folder's clock: real, moved as it was when it was last kept.
func (d Dir) OpenClock(real func() time.Time) (*Clock, error) {
	c := &Clock{real: real, path: d.path("clock.json")}
	data, err := os.ReadFile(c.path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, err
	}
	var f clockFile
	if err = json.Unmarshal(data, &f); err == nil {
		c.offset, err = time.ParseDuration(f.Offset)
	}
	if err != nil {
		return nil, fmt.Errorf("clock: reading %s: %w", c.path, err)
	}
	return c, nil
}

// Now is the moved clock's time, in UTC.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.real().Add(c.offset).UTC()
}

// Set moves the clock; it runs on from t. The move outlives a restart once Keep was called.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset = t.Sub(c.real())
}

// Keep writes down how far the clock is moved.
func (c *Clock) Keep() error {
	c.mu.Lock()
	data, err := json.Marshal(clockFile{Offset: c.offset.String()})
	c.mu.Unlock()
	if err != nil {
		return err
	}
	return WriteFile(c.path, data, 0o600)
}
