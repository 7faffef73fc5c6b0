package api

import (
	"encoding/json"
	"net/http"
	"os"
	"time"

	"marketplace/catalog/bundle"
)

// download resolves to the package whose name follows /downloads/. Only names in the bundle count, so that no name can
// leave the folder.
func (h *Handler) download(r request) (reply, *failure) {
	for i := range h.bundle.Packages {
		p := &h.bundle.Packages[i]
		switch {
		case p.File != r.rest:
		case p.Withdrawn != "":
			return reply{}, &failure{status: http.StatusGone, detail: p.Withdrawn, page: true, file: p}
		default:
			return reply{file: p}, nil
		}
	}
	return reply{}, &failure{status: http.StatusNotFound, detail: "There is no package with this name.", page: true}
}

// serveFile serves a package from the folder; net/http handles ranges, HEAD and conditions.
func (h *Handler) serveFile(w http.ResponseWriter, r *http.Request, p *bundle.Package) {
	file, err := os.OpenInRoot(h.options.Dir, p.File)
	if err != nil {
		h.unavailable(w, r, p, err)
		return
	}
	defer file.Close()
	header := w.Header()
	header.Set("Content-Type", "application/zip")
	header.Set("Content-Disposition", `attachment; filename="`+p.File+`"`)
	header.Set("Cache-Control", "public, max-age=300")
	if info, err := file.Stat(); err != nil || info.IsDir() {
		h.unavailable(w, r, p, err)
		return
	} else if info.Size() == p.Size && p.SHA256 != "" {
		header.Set("ETag", `"`+p.SHA256+`"`)
	}
	http.ServeContent(w, r, p.File, time.Time{}, file)
}

func (h *Handler) unavailable(w http.ResponseWriter, r *http.Request, p *bundle.Package, err error) {
	h.options.Log.ErrorContext(r.Context(), "package file missing", "file", p.File, "dir", h.options.Dir, "error", err)
	const detail = "The package is temporarily unavailable. Try again later."
	(&failure{status: http.StatusServiceUnavailable, detail: detail, page: true}).
		write(h, w, joined(r.Header["Accept"]))
}

// metric is a line of CloudWatch's embedded metric format: "Downloads" in the namespace "Marketplace", by stage,
// edition and version.
type metric struct {
	AWS       metricMeta `json:"_aws"`
	Stage     string
	Edition   string
	Version   string
	File      string
	Downloads int
}

type metricMeta struct {
	Timestamp         int64 // milliseconds since 1970
	CloudWatchMetrics [1]metricDirective
}

type metricDirective struct {
	Namespace  string
	Dimensions [1][3]string
	Metrics    [1]metricName
}

type metricName struct{ Name, Unit string }

// count writes a metric line, in one write, if p redirects to a package.
func (h *Handler) count(p reply) {
	if p.file == nil || p.head || h.options.Metrics == nil {
		return
	}
	line, err := json.Marshal(metric{
		AWS: metricMeta{h.options.Now().UnixMilli(), [1]metricDirective{{
			Namespace: "Marketplace", Dimensions: [1][3]string{{"Stage", "Edition", "Version"}},
			Metrics: [1]metricName{{"Downloads", "Count"}},
		}}},
		Stage: h.options.Stage, Edition: p.file.Edition, Version: p.file.Version, File: p.file.File, Downloads: 1,
	})
	if err == nil {
		h.options.Metrics.Write(append(line, '\n')) // a lost count is no reason to fail a download
	}
}
