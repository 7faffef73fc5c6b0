package site

import (
	"errors"
	"net/http"
	"slices"
	"strconv"

	"marketplace/functions/console/generator"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/web"
)

// packageView is the data of the page that makes custom packages for a license on record.
type packageView struct {
	license.License
	Seen     int64 // the version of the license
	Token    string
	Version  web.Field
	Plugins  web.Field     // without Options: the license covers none beyond its edition
	Packages []packageLink // made so far
	web.Marked
	Done bool
}

type packageLink struct{ Name, URL string }

// packagesOf returns the custom packages of a license.
func (s *site) packagesOf(l license.License) (list []packageLink) {
	for _, name := range l.Packages {
		list = append(list, packageLink{packageName(name), s.mail.Packages + "/tailored/" + name})
	}
	return list
}

// packageForm shows the form for a custom package.
func (s *site) packageForm(w http.ResponseWriter, r *http.Request) error {
	f, choices, err := s.generator.BeginPackage(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return s.showPackage(w, r, http.StatusOK, f, choices, nil)
}

// makePackage makes a custom package. The same form sent twice makes one.
func (s *site) makePackage(w http.ResponseWriter, r *http.Request) error {
	values, err := web.ReadForm(r)
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	f := generator.PackageForm{
		Token: values.Get("token"), ProductVersion: values.Get("productVersion"), Plugins: values["plugins"],
	}
	f.Version, _ = strconv.ParseInt(values.Get("version"), 10, 64) // a wrong version is not the license's
	err = s.generator.MakePackage(r.Context(), id, f, operator(r))
	if err == nil {
		http.Redirect(w, r, "/console/licenses/"+id+"/packages?done=package", http.StatusSeeOther)
		return nil
	}
	invalid, ok := errors.AsType[*fault.Error](err)
	conflict := fault.KindOf(err) == fault.Conflict
	if !conflict && (!ok || len(invalid.Fields) == 0) {
		return err
	}
	now, choices, again := s.generator.BeginPackage(r.Context(), id)
	if again != nil {
		return again
	}
	status, bad := http.StatusUnprocessableEntity, invalid.Fields
	if conflict {
		status, bad = http.StatusConflict, []fault.Field{{Name: "version", Msg: invalid.Msg}}
	}
	f.Version = now.Version
	return s.showPackage(w, r, status, f, choices, bad)
}

func (s *site) showPackage(
	w http.ResponseWriter, r *http.Request, status int, f generator.PackageForm, choices generator.PackageChoices,
	bad []fault.Field,
) error {
	l := choices.License.License
	v := packageView{
		License: l, Seen: f.Version, Token: f.Token, Packages: s.packagesOf(l),
		Done: r.URL.Query().Get("done") == "package",
	}
	v.Version = web.Field{Name: "productVersion", Label: "Product version", Type: "select", Value: f.ProductVersion,
		Required: true}
	for _, version := range choices.Versions {
		v.Version.Options = append(v.Version.Options, web.Option{Value: version, Label: version})
	}
	v.Plugins = web.Field{Name: "plugins", Type: "boxes", Label: "Additional plugins"}
	for _, p := range choices.Plugins {
		v.Plugins.Options = append(v.Plugins.Options, web.Option{
			Value: p.Key, Label: p.Name, Hint: p.Description, Ticked: slices.Contains(f.Plugins, p.Key),
		})
	}
	v.Marked = web.Mark(bad, &v.Version, &v.Plugins)
	return s.render(w, r, status, "wizard-package.html", inLicenses, "Custom packages for "+l.Organization, v)
}
