#!/usr/bin/env bash
# deploy.sh COMMIT: builds a commit in a folder of its own and deploys it, its template included, with the parameters of
# the samconfig.toml here. Needs git and the SAM CLI, and credentials of AWS.
set -euo pipefail
cd "$(git rev-parse --show-toplevel)"
commit=$(git rev-parse --verify --quiet "${1:-HEAD}^{commit}") || {
	echo "there is no commit ${1:-HEAD}" >&2
	exit 1
}
site=$(sed 's/#.*//' samconfig.toml | grep -o 'SiteUrl=[\\"]*[^ "\\]*' | cut -d = -f 2 | tr -d '\\"' | sort -u) || {
	echo "samconfig.toml has no SiteUrl: infra/docs/deploy.md begins with it" >&2
	exit 1
}
if (($(wc -l <<<"$site") != 1)); then
	echo "samconfig.toml has several sites: keep one SiteUrl" >&2
	exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git archive "$commit" | tar --extract --directory "$work"
cp samconfig.toml "$work"
cd "$work"
echo "deploying $(git -C "$OLDPWD" log -1 --format='%h %s' "$commit") to $site"
SITE_URL=$site sam build --build-in-source
sam deploy
