#!/usr/bin/env bash
# with-moto.sh COMMAND...: runs the command with SES_ENDPOINT naming moto's server, an implementation of SES, and of KMS and S3 at
# the same address; what was sent can be read back from $SES_ENDPOINT/moto-api/data.json, raw messages under ses.RawMessage. Needs
# python3 with venv.
. "$(dirname "$0")/serve.sh"
version=5.2.5
moto() { python3 -m venv . && bin/pip install --quiet "moto[ses]==$version" flask==3.1.3 flask-cors==6.0.5 werkzeug==3.1.9; }
need python3
installed "moto-$version" moto
serving SES_ENDPOINT "$home/bin/python" -m moto.server -H 127.0.0.1 -p PORT
