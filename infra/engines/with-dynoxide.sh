#!/usr/bin/env bash
# with-dynoxide.sh COMMAND...: runs the command with DYNAMODB_ENDPOINT set to a dynoxide server, an implementation of
# DynamoDB over SQLite that shares no code with Amazon's. Needs npm and python3. Data is in memory only.
. "$(dirname "$0")/serve.sh"
version=1.2.1
need npm python3
installed "dynoxide-$version" npm install --prefix . --no-audit --no-fund --no-save "@dynoxide/linux-x64@$version"
serving DYNAMODB_ENDPOINT "$home/node_modules/@dynoxide/linux-x64/dynoxide" serve --host 127.0.0.1 --port PORT
