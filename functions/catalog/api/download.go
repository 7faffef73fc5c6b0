package api

import (
	"encoding/json"
	"net/http"
	"os"
	"time"

	"marketplace/catalog/bundle"
)

// download answers for the package of the name that follows /downloads/. Only names of the bundle lead anywhere, so that no
// name can leave the folder.
func (h *Handler) download(q question) (reply, *failure) {
	for i := range h.bundle.Packages {
		p := &h.bundle.Packages[i]
		switch {
		case p.File != q.rest:
		case p.Withdrawn != "":
			return reply{}, &failure{status: http.StatusGone, detail: p.Withdrawn, page: true, file: p}
		default:
			return reply{file: p}, nil
		}
	}
	return reply{}, &failure{status: http.StatusNotFound, detail: "There is no package of this name.", page: true}
}

// serveFile serves a package from the folder: ranges, HEAD and conditions are net/http's.
func (h *Handler) serveFile(w http.ResponseWriter, r *http.Request, p *bundle.Package) {
	file, err := os.OpenInRoot(h.options.Dir, p.File)
	if err != nil {
		h.missing(w, r, p, err)
		return
	}
	defer file.Close()
	header := w.Header()
	header.Set("Content-Type", "application/zip")
	header.Set("Content-Disposition", `attachment; filename="`+p.File+`"`)
	header.Set("Cache-Control", "public, max-age=300")
	if info, err := file.Stat(); err != nil || info.IsDir() {
		h.missing(w, r, p, err)
		return
	} else if info.Size() == p.Size && p.SHA256 != "" {
		header.Set("ETag", `"`+p.SHA256+`"`)
	}
	http.ServeContent(w, r, p.File, time.Time{}, file)
}

func (h *Handler) missing(w http.ResponseWriter, r *http.Request, p *bundle.Package, err error) {
	h.options.Log.ErrorContext(r.Context(), "package file not there", "file", p.File, "dir", h.options.Dir, "error", err)
	(&failure{status: http.StatusServiceUnavailable, detail: "The package cannot be read at the moment. Please try again later.", page: true}).
		write(h, w, r.Header.Get("Accept"))
}

// metric is a line of CloudWatch's embedded metric format: "Downloads" in the namespace "Marketplace", by edition and version.
type metric struct {
	AWS       metricMeta `json:"_aws"`
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
	Dimensions [1][2]string
	Metrics    [1]metricName
}

type metricName struct{ Name, Unit string }

// count writes a metric line, in one write, when p sends somebody to a package.
func (h *Handler) count(p reply) {
	if p.file == nil || p.head || h.options.Metrics == nil {
		return
	}
	line, err := json.Marshal(metric{
		AWS: metricMeta{h.options.Now().UnixMilli(), [1]metricDirective{{
			Namespace: "Marketplace", Dimensions: [1][2]string{{"Edition", "Version"}}, Metrics: [1]metricName{{"Downloads", "Count"}}}}},
		Edition: p.file.Edition, Version: p.file.Version, File: p.file.File, Downloads: 1,
	})
	if err == nil {
		h.options.Metrics.Write(append(line, '\n')) // a count lost is no reason to fail a download
	}
}
