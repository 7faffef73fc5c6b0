#!/usr/bin/env bash
# template.sh TOOLS TEMPLATE...: lints templates of CloudFormation and SAM with the tools in a folder. cfn-lint does not look
# into the resources of SAM, so that what it lints is what the SAM CLI's own translator makes of them.
set -euo pipefail
. "$(dirname "$0")/offline.sh"
here=$(dirname "$0") tools=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

status=0
for template; do
	linted=$template
	if grep -q '^Transform: AWS::Serverless' "$template"; then
		linted=$work/$(basename "$template" .yaml).json
		if ! "$tools/sam" validate --template "$template" ||
			! "$tools/python" "$here/transform.py" "$template" >"$linted"; then
			status=1
			continue
		fi
	fi
	# E1020 and its like list all that there is.
	"$tools/cfn-lint" --regions us-east-1 eu-central-1 --template "$linted" >"$work/findings" || status=1
	sed "s|^$work/||" "$work/findings" | cut -c 1-240
done
exit "$status"
