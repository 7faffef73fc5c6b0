package site

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"marketplace/shared/mail"
	"marketplace/shared/web/webtest/httpscript"
)

// TestScripts runs the conversations of testdata with the API. In their files $KEY stands for a valid license key, and
// big.json is larger than the API reads. /test/outbox lists the emails that wait to be sent, and /test/mail/{id} is the
// text of one. /test/remind reminds a contact of a license, and answers with the ID of the email.
func TestScripts(t *testing.T) {
	httpscript.Run(t, "testdata", func(script *testscript.Env) (http.Handler, error) {
		env := newTestEnv(t)
		if err := fillIn(script.WorkDir, "$KEY", env.issue(nil)); err != nil {
			return nil, err
		}
		big := `{"message":"` + strings.Repeat("x", 1<<20) + `"}`
		if err := os.WriteFile(filepath.Join(script.WorkDir, "big.json"), []byte(big), 0o600); err != nil {
			return nil, err
		}
		mux := http.NewServeMux()
		mux.HandleFunc("GET /test/outbox", func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, strings.Join(env.pendingMails(), " "))
		})
		mux.HandleFunc("GET /test/mail/{id}", func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, env.letter(r.PathValue("id")).TextBody())
		})
		mux.HandleFunc("GET /test/remind", func(w http.ResponseWriter, _ *http.Request) {
			env.remind(env.sold(nil), ada)
			fmt.Fprint(w, env.mailTo(mail.LicenseExpiring, licenseID, ada).ID)
		})
		mux.Handle("/", env.site)
		return mux, nil
	})
}

// fillIn replaces a placeholder in the JSON files of a folder.
func fillIn(dir, placeholder, value string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return err
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		data = bytes.ReplaceAll(data, []byte(placeholder), []byte(value))
		if err := os.WriteFile(file, data, 0o600); err != nil {
			return err
		}
	}
	return nil
}
