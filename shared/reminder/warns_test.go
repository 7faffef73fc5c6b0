package reminder

import (
	"testing"

	"marketplace/shared/license"
)

func TestPagesWarnFromTheFirstStageThroughTheLastDay(t *testing.T) {
	date := func(s string) license.Date {
		d, err := license.ParseDate(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	last := date("2018-08-31")
	for name, tt := range map[string]struct {
		policy Policy
		of     license.License
		from   license.Date // zero: on no day
	}{
		"production":                {Policy{}, license.License{Type: license.Production}, date("2018-06-30")},
		"staging":                   {Policy{}, license.License{Type: license.Staging}, date("2018-06-30")},
		"evaluation":                {Policy{}, license.License{Type: license.Evaluation}, date("2018-08-24")},
		"more stages":               {With(Switchable...), license.License{}, date("2018-06-30")},
		"one stage within the term": {Policy{}, license.License{NotBefore: date("2018-07-15")}, date("2018-07-31")},
		"term too short for stages": {Policy{}, license.License{NotBefore: date("2018-08-10")}, date("2018-08-10")},
		"one stage, after the term": {With(DaysAfter(7)), license.License{NotBefore: date("2018-08-10")},
			date("2018-08-10")},
		"paused emails": {Policy{}, license.License{Mute: license.Mute{By: "sam"}}, date("2018-06-30")},
		"renewed":       {Policy{}, license.License{Successor: "another"}, license.Date{}},
		"revoked":       {Policy{}, license.License{Revoked: last.Start()}, license.Date{}},
		"retired":       {Policy{}, license.License{Retired: true}, license.Date{}},
	} {
		tt.of.Expiration = last
		for today := last.AddDays(-100); !today.After(last.AddDays(10)); today = today.AddDays(1) {
			want := !tt.from.IsZero() && !tt.from.After(today) && !today.After(last)
			if got := tt.policy.Warns(tt.of, today); got != want {
				t.Errorf("%s, on %s: got %v, want %v", name, today, got, want)
				break
			}
		}
	}
}
