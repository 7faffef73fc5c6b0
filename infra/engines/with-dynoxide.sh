#!/usr/bin/env bash
# with-dynoxide.sh COMMAND...: runs the command with DYNAMODB_ENDPOINT set to a dynoxide server, an implementation of
# DynamoDB over SQLite that shares no code with Amazon's. Needs npm and python3. Data is in memory only.
. "$(dirname "$0")/serve.sh"
version=1.2.1
need npm python3
installed "dynoxide-$version" from_npm @dynoxide/linux-x64 "$version" \
	b011ea97127d00d90b96e1646117dde6bf18d00a457b0e0584eae5860440803e17cc4a053ae904a359ee053435fa34eda1fab09f83564369344e7e663538e052
serving DYNAMODB_ENDPOINT "$home/node_modules/@dynoxide/linux-x64/dynoxide" serve --host 127.0.0.1 --port PORT
