"""The rehearsal's AWS port before boto3: every answer and every error shape, read by a client that nobody here wrote.

Reads cases from standard input, one JSON object a line, and answers each with what boto3 made of it:
`{"client", "call", "with", "frames"}`; `frames` asks for an event stream as botocore's own parser takes it apart.
The endpoint is the first argument.
"""

import json
import sys

import boto3
from botocore.config import Config
from botocore.eventstream import EventStreamBuffer
from botocore.exceptions import BotoCoreError, ClientError, EventStreamError

endpoint = sys.argv[1]
settings = Config(retries={"total_max_attempts": 1}, read_timeout=20, parameter_validation=False)


def client(name):
    return boto3.client(
        name,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="REHEARSAL",
        aws_secret_access_key="rehearsal",
        config=settings,
    )


def plain(value):
    """What JSON can hold of an answer."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items() if key != "ResponseMetadata"}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if isinstance(value, bytes):
        return value.hex()
    if hasattr(value, "read"):
        return json.loads(value.read())
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def events(stream):
    """The events of a stream, and the exception that ended it."""
    seen = []
    try:
        for event in stream:
            seen.append(plain(event))
    except EventStreamError as error:
        return {"events": seen, "error": error.response["Error"]}
    return {"events": seen}


def frames(path, body):
    """The frames of a stream by botocore's parser alone: prelude, headers, payload and both checksums."""
    import urllib.request

    request = urllib.request.Request(
        endpoint + path, json.dumps(body).encode(), {"content-type": "application/json"}, method="POST"
    )
    buffer = EventStreamBuffer()
    with urllib.request.urlopen(request) as answer:
        while piece := answer.read(7):
            buffer.add_data(piece)
    return [{"headers": plain(frame.headers), "payload": json.loads(frame.payload)} for frame in buffer]


def made_of(case):
    if "frames" in case:
        return {"frames": frames(case["frames"], case["with"])}
    try:
        answer = getattr(client(case["client"]), case["call"])(**case["with"])
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return {"type": type(error).__name__, "error": plain(error.response["Error"]), "status": status}
    except BotoCoreError as error:
        return {"type": type(error).__name__, "error": str(error)}
    if "stream" in answer:
        return events(answer["stream"])
    return {"answer": plain(answer)}


for line in sys.stdin:
    print(json.dumps(made_of(json.loads(line))), flush=True)
