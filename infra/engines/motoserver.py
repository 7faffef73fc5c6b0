"""Moto's server, with another list of what it holds: of the raw messages that SES accepted alone.

Its own list reads every record of every service, and fails for good over some of S3 and Lambda that were deleted.
"""

import json

from moto.core.model_instances import model_data
from moto.moto_api._internal.responses import MotoAPIResponse
from moto.server import main

FIELDS = ("id", "source", "destinations", "raw_data")


def messages(*_):
    model = model_data.get("ses", {}).get("RawMessage")
    sent = [{f: getattr(m, f) for f in FIELDS} for m in list(model.instances_tracked)] if model else []
    return 200, {"Content-Type": "application/json"}, json.dumps({"ses": {"RawMessage": sent}})


MotoAPIResponse.model_data = messages
main()
