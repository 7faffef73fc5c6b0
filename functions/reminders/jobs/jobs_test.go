package jobs

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestEventNamesItsJob(t *testing.T) {
	ran, failure := "", errors.New("no table")
	all := Jobs{
		Daily: func(context.Context) error { ran += Daily; return nil },
		Late:  func(context.Context) error { ran += Late; return failure },
	}
	if err := all.Run(t.Context(), Event{Daily}); err != nil || ran != Daily {
		t.Errorf("daily: ran %q, %v", ran, err)
	}
	if err := all.Run(t.Context(), Event{Late}); !errors.Is(err, failure) || ran != Daily+Late {
		t.Errorf("late: ran %q, %v", ran, err)
	}
	for _, name := range []string{"", "Daily", "monthly"} {
		err := all.Run(t.Context(), Event{name})
		if err == nil || !strings.Contains(err.Error(), `["daily" "late"]`) || ran != Daily+Late {
			t.Errorf("job %q: ran %q, %v, want an error that names the jobs", name, ran, err)
		}
	}
}
