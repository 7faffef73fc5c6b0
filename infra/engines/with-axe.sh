#!/usr/bin/env bash
# with-axe.sh COMMAND...: runs the command with AXE set to the script of axe-core, which finds faults of accessibility in a
# page. Tests run it in their browser. Needs npm.
. "$(dirname "$0")/serve.sh"
version=4.14.1
need npm
installed "axe-core-$version" npm install --prefix . --no-audit --no-fund --no-save --ignore-scripts "axe-core@$version"
exec env AXE="$home/node_modules/axe-core/axe.min.js" "${command[@]}"
