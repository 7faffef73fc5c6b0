package localdata

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"marketplace/shared/atomicfile"
	"os"
	"sync"
	"time"
)

// Clock is the real clock plus an offset. The folder keeps the offset, so a restart does not turn back the time of the
// data.
type Clock struct {
	real func() time.Time
	path string

	mu     sync.Mutex
	offset time.Duration
}

// clockFile is the content of clock.json: {"offset": "24h0m0s"}.
type clockFile struct {
	Offset string `json:"offset"`
}

// OpenClock opens the folder's clock with the offset that was last saved.
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

// Now returns the time of the clock, in UTC.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.real().Add(c.offset).UTC()
}

// Set moves the clock to t, from where it runs on. Save makes the move survive a restart.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset = t.Sub(c.real())
}

// Save writes the offset to the folder.
func (c *Clock) Save() error {
	c.mu.Lock()
	data, err := json.Marshal(clockFile{Offset: c.offset.String()})
	c.mu.Unlock()
	if err != nil {
		return err
	}
	return atomicfile.Write(c.path, data, 0o600)
}
