package main

import (
	"bytes"
	"context"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"marketplace/catalog/bundle"
	"marketplace/shared/cloud/packagestore"
)

// preview stores the metadata for the console, as "ops publish -preview" does.
func (p *publisher) preview(number string, more ...string) (string, error) {
	p.t.Helper()
	var stdout, stderr bytes.Buffer
	in := newInput("publish", publishUsage)
	args := append([]string{"-preview", "-metadata", p.metadata, "-site-url", publishedSite, "-build", number,
		"-to", "s3://packages/a"}, more...)
	if status, ok := in.parse(args, &stdout, &stderr); !ok {
		p.t.Fatalf("status %d: %s", status, &stderr)
	}
	made, err := in.catalog()
	if err == nil {
		err = in.previewIn(context.Background(), p.destination(), made, &stdout)
	}
	return stdout.String(), err
}

func TestPreviewPublishesNothing(t *testing.T) {
	m := newMemory()
	p := newPublisher(t, m)
	if _, err := p.publish("1042"); err != nil {
		t.Fatal(err)
	}
	before := maps.Clone(m.content)
	out, err := p.preview("1043")
	if err != nil || !strings.Contains(out, "Nothing is published.") ||
		!strings.Contains(out, publishedSite+"/console/marketplace") {
		t.Fatalf("got %q, %v", out, err)
	}
	const key = "packages/a/" + packagestore.PreviewKey
	b, err := bundle.Decode(m.content[key])
	if err != nil || !has(b, "1043") {
		t.Fatalf("the preview is another catalog: %v", err)
	}
	if got := m.objects[key].CacheControl; got != "no-store" {
		t.Errorf("got Cache-Control %q", got)
	}
	delete(m.content, key)
	for name, content := range m.content {
		if !bytes.Equal(content, before[name]) {
			t.Errorf("%s was stored, too", name)
		}
	}
}

// TestPreviewIsNotServed: what is beside the jars has no public address (infra/check holds the policy of the bucket).
func TestPreviewIsNotServed(t *testing.T) {
	if !strings.HasPrefix(packagestore.PreviewKey, packagestore.JarsPrefix) {
		t.Errorf("got %s", packagestore.PreviewKey)
	}
}

func TestPreviewIsRefusedAsPublishingWouldBe(t *testing.T) {
	m := newMemory()
	p := newPublisher(t, m)
	if _, err := p.publish("1042"); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(p.metadata, "edition-templates.properties")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	fewer := strings.Replace(string(text), "editions=community,developer", "editions=community", 1)
	if fewer == string(text) {
		t.Fatalf("the metadata has no developer edition to leave out: %s", text)
	}
	if err := os.WriteFile(path, []byte(fewer), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := p.preview("1043"); err == nil {
		t.Errorf("got %q, want the error of an edition that is gone", out)
	}
	if _, stored := m.content["packages/a/"+packagestore.PreviewKey]; stored {
		t.Error("the refused catalog was stored")
	}
	if _, err := p.preview("1043", "-allow-removal"); err != nil {
		t.Errorf("with -allow-removal: %v", err)
	}
}
