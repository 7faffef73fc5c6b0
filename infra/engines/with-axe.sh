#!/usr/bin/env bash
# with-axe.sh COMMAND...: runs the command with AXE set to the script of axe-core, which finds faults of accessibility in a
# page. Tests run it in their browser. Needs npm.
. "$(dirname "$0")/serve.sh"
version=4.14.1
need npm
installed "axe-core-$version" from_npm axe-core "$version" \
	1477dafa598d8d065f273d6af302aa203c02e83131707b7fa648cd41bd3d6b734f8c22a0dab86ee6a6f64b8afbe804b214d36db85a2826965edfb3a0b9d546b5
exec env AXE="$home/node_modules/axe-core/axe.min.js" "${command[@]}"
