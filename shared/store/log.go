package store

import "log/slog"

// What a log may have of what is kept: IDs and states.

// LogValue implements slog.LogValuer.
func (r LicenseRecord) LogValue() slog.Value { return r.License.LogValue() }

// LogValue implements slog.LogValuer.
func (s Summary) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", s.ID), slog.String("type", string(s.Type)), slog.String("edition", string(s.Edition)),
		slog.String("server", string(s.Server)), slog.String("expiration", s.Expiration.String()), slog.Bool("revoked", !s.Revoked.IsZero()))
}

// LogValue implements slog.LogValuer.
func (m Mail) LogValue() slog.Value {
	return slog.GroupValue(slog.Any("message", m.Message), slog.String("state", string(m.State)), slog.Int("attempts", m.Attempts))
}

// LogValue implements slog.LogValuer. Who did it may be an operator's address.
func (e Event) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", e.ID), slog.String("action", string(e.Action)))
}
