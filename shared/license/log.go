package license

import "log/slog"

// Logs show the ID, the terms and the state of a license, but neither the customer nor the key.

// LogValue implements slog.LogValuer.
func (l License) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", l.ID), slog.String("type", string(l.Type)),
		slog.String("edition", string(l.Edition)),
		slog.String("server", string(l.Server)), slog.String("expiration", l.Expiration.String()),
		slog.Bool("revoked", !l.Revoked.IsZero()))
}

// LogValue implements slog.LogValuer.
func (k Key) LogValue() slog.Value {
	return License{ID: k.ID, Type: k.Type, Edition: k.Edition, Server: k.Server, Expiration: k.Expiration}.LogValue()
}

// LogValue implements slog.LogValuer.
func (Contact) LogValue() slog.Value { return slog.StringValue("[redacted]") }
