// Package mailmodel tries the outbox, the mailer and the daily run together, in random histories in which nearly
// everything fails. An oracle of its own rules says after each step which emails had to go out, and which must not:
// see mail.md, "The random model". The package has only tests.
package mailmodel
