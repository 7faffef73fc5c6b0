# Sourced by with-*.sh: installs a server of an AWS protocol, runs it on loopback while a command runs, and deletes its data
# afterwards. Installations stay in $ENGINES_CACHE (default: .ci/cache in the checkout), one folder per pinned version, and
# use the package managers' own configuration.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${ENGINES_CACHE:-$here/../../.ci/cache}

fail() {
	echo "$(basename "$0"): $*" >&2
	exit 1
}

# need TOOL...: fails unless every tool is on the PATH.
need() {
	for tool in "$@"; do
		command -v "$tool" >/dev/null || fail "needs $tool"
	done
}

# installed NAME COMMAND...: runs the command in a new folder of the cache, once ever, and leaves the folder's path in $home.
# Concurrent runs wait for each other; an interrupted installation starts again.
installed() {
	mkdir -p "$cache"
	home=$(cd "$cache" && pwd)/$1
	shift
	(
		flock 9
		[ -e "$home/.installed" ] && exit 0
		rm -rf "$home" && mkdir "$home" && cd "$home"
		"$@" >install.log 2>&1 || {
			tail -n 30 install.log >&2
			exit 1
		}
		touch .installed
	) 9>"$home.lock" || fail "could not install $(basename "$home")"
}

# from_npm PACKAGE VERSION SHA512: installs a package that depends on no other, once its archive has that digest.
from_npm() {
	local archive
	archive=$(npm pack --silent "$1@$2") && echo "$3  $archive" | sha512sum --check --strict &&
		npm install --prefix . --no-audit --no-fund --no-save --ignore-scripts --offline "./$archive"
}

# serving VARIABLE SERVER...: starts the server, with a free port where an argument says PORT, runs the script's command
# with the server's address in VARIABLE, and exits with the command's status. It tries three ports, since another process may
# take one first.
serving() {
	local variable=$1 port status=0
	shift
	log=$(mktemp) server=
	trap stop EXIT
	for _ in 1 2 3; do
		port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
		"${@//PORT/$port}" >"$log" 2>&1 </dev/null &
		server=$!
		if answers "$port"; then
			env "$variable=http://127.0.0.1:$port" "${command[@]}" || status=$?
			exit "$status"
		fi
	done
	cat "$log" >&2
	fail "the server did not start"
}

# answers PORT: waits up to a minute until the server accepts a connection; fails at once when it has ended.
answers() {
	for _ in $(seq 600); do
		kill -0 "$server" 2>/dev/null || return 1
		(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0
		sleep 0.1
	done
	kill "$server" 2>/dev/null
	return 1
}

stop() {
	if [ -n "$server" ]; then
		kill "$server" 2>/dev/null || true
		wait "$server" 2>/dev/null || true
	fi
	rm -f "$log"
}

command=("$@")
[ ${#command[@]} -gt 0 ] || fail "usage: $(basename "$0") COMMAND [ARGUMENT...]"
