// Package takeover tries to take a customer's license over, in random histories of an attacker among honest people and
// of operators who believe everybody. It has no other code than its tests: the store, the search, the expansion of
// notices and the license generator are the real ones. The oracle knows only who did what, and the rule in the words of
// decision 19.
package takeover
