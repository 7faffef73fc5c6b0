// Package frame has what surrounds every page of the local server that is not a part of the product: the outbox, the
// clock, the sign-in.
package frame

import "embed"

// Templates has templates/site.html, for web.Layers.
//
//go:embed templates
var Templates embed.FS
