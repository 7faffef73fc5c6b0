package site

import (
	"testing"
	"time"

	"marketplace/shared/request"
)

func TestDueBadgeWarnsFourHoursBefore(t *testing.T) {
	for _, tt := range []struct {
		left  time.Duration
		state request.State
		want  badge
	}{
		{22 * time.Hour, request.Received, badge{"Due in 22 h", ""}},
		{4 * time.Hour, request.InReview, badge{"Due in 4 h", ""}},
		{4*time.Hour - time.Minute, request.InReview, badge{"Due in 3 h", "warn"}},
		{0, request.Received, badge{"Due in 0 min", "warn"}},
		{-time.Minute, request.Received, badge{"Late by 1 min", "bad"}},
		{-72 * time.Hour, request.Received, badge{"Late by 3 days", "bad"}},
		{-72 * time.Hour, request.Waiting, badge{}},
		{-72 * time.Hour, request.Issued, badge{}},
	} {
		if got := dueBadge(request.Summary{State: tt.state, Due: start.Add(tt.left)}, start); got != tt.want {
			t.Errorf("%s, %v left: got %v, want %v", tt.state, tt.left, got, tt.want)
		}
	}
}
