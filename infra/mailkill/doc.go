// Package mailkill has only a test: it kills the mailer while it sends, again and again.
package mailkill
