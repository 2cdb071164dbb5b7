"""Holds the objects of the stand-in Stripe against what Stripe's own library of the same API version documents.

Reads DIRECTORY/stripe_objects.jsonl, one object per line as the stand-in renders it: PaymentIntents, charges inside
them, events. Every documented key that is not optional is there, no other key is. Ends with `N passed, N failed`.
"""

import typing

import stripe

import recordings

DOCUMENTED = {
    "payment_intent": stripe.PaymentIntent,
    "charge": stripe.Charge,
    "event": stripe.Event,
    "balance_transaction": stripe.BalanceTransaction,
}
# Only Connect's events carry it; the class has no annotation for what Stripe adds to those.
EXTRA = {"event": {"account"}}


def keys_of(kind):
    """Names of all keys, and of those that must be there."""
    annotations = {
        name: hint
        for name, hint in DOCUMENTED[kind].__annotations__.items()
        if name != "OBJECT_NAME" and not name.startswith("_") and typing.get_origin(hint) is not typing.ClassVar
    }
    required = {name for name, hint in annotations.items() if type(None) not in typing.get_args(hint)}
    return set(annotations) | EXTRA.get(kind, set()), required


def faults_of(value, path="object"):
    found = []
    if isinstance(value, list):
        for place, item in enumerate(value):
            found += faults_of(item, f"{path}.{place}")
    if not isinstance(value, dict):
        return found
    kind = value.get("object")
    if isinstance(kind, str) and kind in DOCUMENTED:
        known, required = keys_of(kind)
        found += [f"{path} ({kind}): Stripe documents no key {name!r}" for name in sorted(set(value) - known)]
        found += [f"{path} ({kind}): the key {name!r} is missing" for name in sorted(required - set(value))]
    for name, item in value.items():
        found += faults_of(item, f"{path}.{name}")
    return found


def main():
    tally = recordings.Tally()
    bare = {"object": "payment_intent", "id": "pi_1"}
    tally.add("self-test: a missing key is flagged", [] if any("'amount'" in fault for fault in faults_of(bare)) else ["it is not"])
    odd = {"object": "event", "payload": 1}
    tally.add("self-test: a strange key is flagged", [] if any("'payload'" in fault for fault in faults_of(odd)) else ["it is not"])
    for value in recordings.read("stripe_objects.jsonl"):
        tally.add(f"{value.get('object')} {value.get('id')}", faults_of(value))
    tally.close()


main()
