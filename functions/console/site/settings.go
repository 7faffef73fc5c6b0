package site

import (
	"net/http"
	"strings"

	"marketplace/shared/license"
	"marketplace/shared/officehours"
)

const settingsPath = "/console/settings"

// settingsView shows what the configuration says. It is changed where the console is deployed.
type settingsView struct {
	Hours        string // by weekday, with the zone
	Holidays     []officehours.Holiday
	LastHoliday  string // the last one listed
	HolidaysEnd  bool   // soon: nobody has listed later ones
	Reminders    []reminderSetting
	SecondPerson bool
	Replies      int
	Most         int // replies that there can be
}

// reminderSetting is when a type of license is reminded of.
type reminderSetting struct{ Type, Stages string }

// settings shows what is configured, and leads to what admins can change.
func (s *site) settings(w http.ResponseWriter, r *http.Request) error {
	list, err := s.replies.Replies(r.Context())
	if err != nil {
		return err
	}
	hours := s.store.Hours()
	v := settingsView{
		Hours: hours.Week(s.now()), Holidays: hours.Holidays(s.now()), SecondPerson: !s.oneOperator, Replies: len(list),
	}
	v.LastHoliday, v.HolidaysEnd = hours.RunsOut(s.now())
	for _, of := range []license.Type{license.Production, license.Staging, license.Evaluation} {
		var names []string
		for _, stage := range s.store.Policy().Stages(license.License{Type: of, Expiration: s.today().AddMonths(12)}) {
			names = append(names, stage.Name())
		}
		v.Reminders = append(v.Reminders, reminderSetting{of.Name(), strings.Join(names, ", ")})
	}
	return s.render(w, r, http.StatusOK, "settings.html", inSettings, "Settings", v)
}
