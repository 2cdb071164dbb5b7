"""Holds the carrier stand-in's signatures against the vendor's own library: what we verify must be what Twilio signs.

Reads DIRECTORY/twilio.jsonl, the status callbacks and inbound texts: {"url", "params", "signature", "auth_token"}
per line. Ends with `N passed, N failed`.
"""

from twilio.request_validator import RequestValidator

import recordings

# The example in the vendor's documentation.
EXAMPLE = {
    "url": "https://mycompany.com/myapp.php?foo=1&bar=2",
    "params": {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    },
    "signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
    "auth_token": "12345",
}

FORGED = {
    "another address": {"url": "https://mycompany.com/myapp.php?foo=1&bar=3"},
    "another number": {"params": {**EXAMPLE["params"], "To": "+18005551213"}},
    "a parameter more": {"params": {**EXAMPLE["params"], "Body": "STOP"}},
    "another token": {"auth_token": "12346"},
    "another signature": {"signature": "RSOYDt4T1cUTdK1PDd93/VVr8B9="},
    "no signature": {"signature": ""},
}


def faults_of(record):
    validator = RequestValidator(record["auth_token"])
    if validator.validate(record["url"], dict(record["params"]), record["signature"]):
        return []
    return [f"the vendor's library refuses the signature for {record['url']}"]


def main():
    tally = recordings.Tally()
    tally.add("this check itself accepts the vendor's example", faults_of(EXAMPLE))
    for what, change in FORGED.items():
        noticed = faults_of({**EXAMPLE, **change})
        tally.add(f"this check itself notices {what}", [] if noticed else ["it did not"])
    for number, record in enumerate(recordings.read("twilio.jsonl"), start=1):
        tally.add(f"webhook {number}", faults_of(record))
    tally.close()


if __name__ == "__main__":
    main()
