"""How bodies are written that schemathesis has no way of its own for."""

import json

import schemathesis


@schemathesis.serializer("text/plain")
def text_plain(ctx, value):
    # as `sendBeacon` sends it
    return json.dumps(value).encode()


@schemathesis.serializer("application/x-ndjson")
def lines(ctx, value):
    if isinstance(value, list):
        return b"".join(json.dumps(event).encode() + b"\n" for event in value)
    # an example is written out already
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()
