#!/usr/bin/env bash
# faults.sh TOOLS TEMPLATE: puts faults into a copy of a template, and fails unless template.sh names every one.
set -euo pipefail
. "$(dirname "$0")/offline.sh"
here=$(dirname "$0") tools=$1 template=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
missed=0

# named FAULT...: each is EXPRESSION=>FINDING, of sed and grep. All are in one copy.
named() {
	local fault expression
	cp "$template" "$work/faulty.yaml"
	for fault; do
		expression=${fault%%=>*}
		sed "$expression" "$work/faulty.yaml" >"$work/more.yaml"
		if cmp -s "$work/faulty.yaml" "$work/more.yaml"; then
			echo "$template has nothing that $expression changes"
			missed=$((missed + 1))
		fi
		mv "$work/more.yaml" "$work/faulty.yaml"
	done
	"$here/template.sh" "$tools" "$work/faulty.yaml" >"$work/findings" 2>&1 || true
	for fault; do
		if ! grep -q -e "${fault##*=>}" "$work/findings"; then
			echo "not named: ${fault%%=>*}"
			missed=$((missed + 1))
		fi
	done
}

named 's/TABLE_NAME: !Ref Table$/TABLE_NAME: !Ref Tabel/=>Tabel' \
	's/Timeout: 900$/Timeout: 901/=>901 is greater than' \
	's/!GetAtt MailAcceptedQueue.Arn/!GetAtt MailAcceptedQueue.Arm/=>.Arm. is not one of' \
	's/StreamViewType: KEYS_ONLY/StreamViewType: KEYS/=>KEYS_ONLY' \
	's/MessageRetentionPeriod: 1209600/MessageRetentionPeriod: 1209601/=>1209601'
# What the translator refuses never gets as far as cfn-lint. `sam validate` finds this and none of the others: it only
# translates.
named 's/ApiId: !Ref Api,/ApiId: !Ref Apis,/=>ApiId must be a valid reference'
if "$tools/sam" validate --template "$work/faulty.yaml" >/dev/null 2>&1; then
	echo 'not named by sam validate: an event of an unknown API'
	missed=$((missed + 1))
fi
[ "$missed" = 0 ] && echo 'the linters name all 6 faults'
