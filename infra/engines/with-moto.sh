#!/usr/bin/env bash
# with-moto.sh COMMAND...: runs the command with SES_ENDPOINT set to moto's server, an implementation of SES, and at the same
# address of KMS, S3 and SQS. $SES_ENDPOINT/moto-api/data.json lists the raw messages sent, under ses.RawMessage (motoserver.py). Needs
# python3 with venv.
. "$(dirname "$0")/serve.sh"
version=$(sed -n 's/^moto==\([0-9.]*\).*/\1/p' "$(dirname "$0")/moto.txt")
moto() { python3 -m venv . && bin/pip install --quiet --no-deps --require-hashes -r "$here/moto.txt"; }
need python3
installed "moto-$version" moto
serving SES_ENDPOINT "$home/bin/python" "$here/motoserver.py" -H 127.0.0.1 -p PORT
