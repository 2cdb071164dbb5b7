"""Holds every Stripe request that the demo made against Stripe's own library of the same API version.

Reads DIRECTORY/stripe.jsonl, the simulator's journal: {"method", "path", "account", "idempotency_key",
"api_version", "caller", "params": [[name, value], …], …} per line. Ends with `N passed, N failed`.
"""

from stripe._api_version import _ApiVersion

import recordings
import stripe_routes
import typed_params

INTENTS = "/v1/payment_intents"
CANCEL = f"{INTENTS}/pi_1/cancel"


def faults_of(routes, request):
    typed_dict = stripe_routes.find(routes, request["method"], request["path"])
    if typed_dict is None:
        return [f"Stripe has no {request['method']} {request['path']}"]
    found = typed_params.faults(request["params"], typed_dict)
    if request["api_version"] != _ApiVersion.CURRENT:
        found.append(f"Stripe-Version: {request['api_version']!r} is not {_ApiVersion.CURRENT}")
    if not (request["account"] or "").startswith("acct_"):
        found.append("Stripe-Account: a direct charge belongs to a connected account")
    if request["method"] == "POST" and not 0 < len(request["idempotency_key"] or "") <= 255:
        found.append("Idempotency-Key: every POST carries one of 1 to 255 characters")
    return found


def request(*pairs, method="POST", path=INTENTS, account="acct_1", key="key", version=_ApiVersion.CURRENT):
    return {
        "method": method,
        "path": path,
        "account": account,
        "idempotency_key": key,
        "api_version": version,
        "params": [pair.split("=", 1) for pair in pairs],
    }


def create(*pairs, **others):
    return request("amount=500", "currency=usd", *pairs, **others)


def read(*pairs, path=f"{INTENTS}/pi_1"):
    return request(*pairs, method="GET", path=path, key=None)


RIGHT = {
    "the least": create(),
    "metadata and ways to pay": create(
        "metadata[invoice]=inv_1", "allowed_payment_method_types[]=card", "allowed_payment_method_types[]=us_bank_account"
    ),
    "a counted list and a fee": create("allowed_payment_method_types[0]=card", "application_fee_amount=50"),
    "metadata counted like a list": create("metadata[0]=a", "metadata[1]=b"),
    "metadata that is cleared": create("metadata=", path=f"{INTENTS}/pi_1"),
    "plain texts": create("capture_method=automatic", "description=Invoice 1", "expand[]=latest_charge"),
    "nested truth values": create("automatic_payment_methods[enabled]=true"),
    "nested values": create("payment_method_options[us_bank_account][verification_method]=instant"),
    "fetching one": read(),
    "fetching one with more": read("expand[]=latest_charge.balance_transaction"),
    "canceling": request("cancellation_reason=abandoned", path=CANCEL),
    "listing": read("limit=100", "created[gte]=1700000000", path=INTENTS),
    "listing at one moment": read("created=1700000000", path=INTENTS),
    "searching": read("query=metadata['payable']:'pbl_1'", path=f"{INTENTS}/search"),
}

WRONG = {
    "a parameter of an older version": create("payment_method_types[]=card"),
    "a parameter that never was": create("application_fee=50"),
    "an amount in words": request("amount=ten", "currency=usd"),
    "an amount with a fraction": request("amount=5.00", "currency=usd"),
    "no amount": request("currency=usd"),
    "no currency": request("amount=500"),
    "an unknown way to pay": create("allowed_payment_method_types[]=cheque"),
    "a list with a gap": create("allowed_payment_method_types[0]=card", "allowed_payment_method_types[2]=link"),
    "a text where a list belongs": create("expand=latest_charge"),
    "a text where an object belongs": create("metadata=inv_1"),
    "an object where a text belongs": create("description[en]=Invoice"),
    "an unknown nested parameter": create("automatic_payment_methods[enabled]=true", "automatic_payment_methods[x]=1"),
    "a missing nested parameter": create("automatic_payment_methods[allow_redirects]=never"),
    "an unknown nested value": create("payment_method_options[us_bank_account][verification_method]=guess"),
    "a truth value in another spelling": create("confirm=yes"),
    "an unknown capture method": create("capture_method=later"),
    "an unknown reason to cancel": request("cancellation_reason=bored", path=CANCEL),
    "an unknown address": request(path="/v1/payment_intent"),
    "an unknown method": request(method="DELETE", path=f"{INTENTS}/pi_1"),
    "a limit in words": read("limit=many", path=INTENTS),
    "a search without its question": read(path=f"{INTENTS}/search"),
    "another API version": create(version="2024-06-20"),
    "no connected account": create(account=None),
    "no idempotency key": create(key=None),
    "a long idempotency key": create(key="k" * 256),
}


def main():
    tally = recordings.Tally()
    routes = stripe_routes.table()
    for what, example in RIGHT.items():
        tally.add(f"this check itself accepts {what}", faults_of(routes, example))
    for what, example in WRONG.items():
        tally.add(f"this check itself notices {what}", [] if faults_of(routes, example) else ["it did not"])
    # What a browser sends is Stripe.js's own affair.
    ours = [request for request in recordings.read("stripe.jsonl") if request["caller"] != "browser"]
    tally.add("requests of ours were recorded", [] if ours else ["none"])
    for number, recorded in enumerate(ours, start=1):
        tally.add(f"request {number}: {recorded['method']} {recorded['path']}", faults_of(routes, recorded))
    tally.close()


if __name__ == "__main__":
    main()
