package signin

import (
	"context"
	"encoding/json"
	"errors"

	"marketplace/shared/fault"
	"marketplace/shared/secret"
	"marketplace/shared/session"
)

// Secrets are what the gate has to keep to itself.
type Secrets struct {
	Keys         session.Keys
	ClientSecret string // at the provider; "" for a client without one. PKCE is used either way.
}

// NewSecrets returns the secrets with keys as session.ParseKeys reads them.
func NewSecrets(sessionKeys, clientSecret string) (Secrets, error) {
	keys, err := session.ParseKeys(sessionKeys)
	return Secrets{keys, clientSecret}, err
}

// ParseSecrets reads a JSON object with the members session_keys, as session.ParseKeys reads them, and client_secret,
// which may be missing. It ignores other members. Its errors do not show the text.
func ParseSecrets(text string) (Secrets, error) {
	var members struct {
		SessionKeys  string `json:"session_keys"`
		ClientSecret string `json:"client_secret"`
	}
	if json.Unmarshal([]byte(text), &members) != nil {
		return Secrets{}, errors.New("signin: the secret is not a JSON object with session_keys")
	}
	return NewSecrets(members.SessionKeys, members.ClientSecret)
}

// keysOf returns the keys of the moment. Without them nobody can be signed in or recognised.
func keysOf(secrets secret.Value[Secrets]) func(context.Context) (session.Keys, error) {
	return func(ctx context.Context) (session.Keys, error) {
		s, err := secrets(ctx)
		if err != nil {
			return session.Keys{}, fault.Wrap(fault.Unavailable, err,
				"The console cannot check who you are at the moment. Try again in a minute.")
		}
		return s.Keys, nil
	}
}
