package customer

import (
	"testing"
	"time"

	"marketplace/shared/license"
)

func TestContractOutlivesItsLicenseThatEndsEarlier(t *testing.T) {
	last := license.Date{Year: 2020, Month: time.December, Day: 31}
	c := Contract{ID: "k1", Last: last}
	ended := c
	ended.Ended = time.Unix(1, 0)
	for name, tt := range map[string]struct {
		c    Contract
		l    license.License
		want bool
	}{
		"the license ends earlier": {c, license.License{Contract: "k1", Expiration: last.AddDays(-1)}, true},
		"on the same day":          {c, license.License{Contract: "k1", Expiration: last}, false},
		"ended early":              {ended, license.License{Contract: "k1", Expiration: last.AddDays(-1)}, false},
		"of another contract":      {c, license.License{Contract: "k2", Expiration: last.AddDays(-1)}, false},
		"no contract":              {Contract{Last: last}, license.License{Expiration: last.AddDays(-1)}, false},
	} {
		if got := tt.c.Outlives(tt.l); got != tt.want {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
	}
}
