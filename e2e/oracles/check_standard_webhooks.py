"""Holds our signed commands to the dialer against the reference library of Standard Webhooks.

Reads DIRECTORY/dialer.jsonl: {"headers", "body", "secret"} per line, the body as the text that was sent. Ends with
`N passed, N failed`. The demo moves its clock, so a signature is recomputed here and not judged by its age.
"""

from datetime import datetime, timezone

from standardwebhooks import Webhook

import recordings

# The example in the specification.
EXAMPLE = {
    "headers": {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    },
    "body": '{"test": 2432232314}',
    "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
}

FORGED = {
    "another body": {"body": '{"test": 2432232315}'},
    "another secret": {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx"},
    "another id": {"headers": {**EXAMPLE["headers"], "webhook-id": "msg_2"}},
    "another time": {"headers": {**EXAMPLE["headers"], "webhook-timestamp": "1614265331"}},
    "another version of the scheme": {
        "headers": {**EXAMPLE["headers"], "webhook-signature": "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}
    },
    "no signature": {"headers": {**EXAMPLE["headers"], "webhook-signature": ""}},
    "no id": {"headers": {**EXAMPLE["headers"], "webhook-id": ""}},
}


def faults_of(record):
    headers = {name.lower(): value for name, value in record["headers"].items()}
    message, seconds = headers.get("webhook-id"), headers.get("webhook-timestamp", "")
    if not message or not seconds.isdecimal():
        return ["webhook-id or webhook-timestamp is missing or malformed"]
    signed_at = datetime.fromtimestamp(int(seconds), tz=timezone.utc)
    expected = Webhook(record["secret"]).sign(msg_id=message, timestamp=signed_at, data=record["body"])
    if expected in headers.get("webhook-signature", "").split(" "):
        return []
    return [f"no signature of {message} is the one that the reference library makes"]


def main():
    tally = recordings.Tally()
    tally.add("this check itself accepts the specification's example", faults_of(EXAMPLE))
    for what, change in FORGED.items():
        noticed = faults_of({**EXAMPLE, **change})
        tally.add(f"this check itself notices {what}", [] if noticed else ["it did not"])
    for number, record in enumerate(recordings.read("dialer.jsonl"), start=1):
        tally.add(f"command {number}", faults_of(record))
    tally.close()


if __name__ == "__main__":
    main()
