"""Drives a running product with requests made from its own description, as each of two merchants in turn.

    check_by_schema.py BINARY [--max-examples N]

Starts `BINARY demo` (embedded database, the outside world simulated), adds a second merchant the way an operator does,
gives both some rows, and lets Schemathesis ask every operation: no 5xx, every answer as described, what breaks the
description is refused, and no word of the other merchant is told. The seed is fixed. Ends with `N passed, N failed`.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).parent
SEED = "20261121"
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "ignored_auth",
    "unsupported_method",
    "allow_header_conformance",
    "use_after_free",
    "ensure_resource_availability",
    "nothing_of_the_other_merchant",
    "errors_are_problems",
]
START_LIMIT_S = 60
# A stream that never ends cannot be listened to the end; its own tests do it.
PUBLIC = ["--exclude-operation-id", "stream_changes", "--exclude-tag", "Health"]
PRIVATE = ["--include-tag", "Health"]


def ask(url, key, method="GET", body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    request = urllib.request.Request(url, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def furnish(url, key, name, number, phone):
    """Rows of every kind; says their ids, and the words nobody else may read."""
    email = f"{name.lower()}@customers.example"

    def post(path, body):
        return ask(url + path, key, "POST", body)

    invoice = post("/v1/invoices", {
        "number": number, "currency": "USD", "due_on": "2026-12-24", "description": f"{name}s description",
        "line_items": [{"description": f"{name}s line", "quantity": 1, "unit_minor": 12_300}],
        "customer": {"name": f"{name} Customer", "phone": phone, "email": email, "line_type": "mobile"},
    })
    campaign = post("/v1/campaigns", {"name": f"{name}s campaign"})
    enrolment = post(f"/v1/campaigns/{campaign['id']}/enrolments", {"invoice_id": invoice["id"]})
    hold = post(f"/v1/invoices/{invoice['id']}/holds", {"words": f"{name}s question"})
    post("/v1/opt-outs", {"email": f"left-alone-{email}"})
    event = post("/v1/events", {
        "type": "call.completed", "spec_version": "1", "source": "inhouse", "call_id": f"{name}s call",
        "occurred_at": "2026-11-18T16:59:00Z", "invoice": {"id": f"{name}s own words"},
        "customer": {"phone": phone}, "outcome": {"intent": "none", "reached": "human"},
    })
    timeline = ask(f"{url}/v1/invoices/{invoice['id']}/timeline", key)["data"]
    merchant = ask(f"{url}/v1/merchant", key)
    ids = {
        "inv": invoice["id"], "cus": invoice["customer_id"], "cmp": campaign["id"], "enr": enrolment["id"],
        "evt": event["id"], "hld": hold["id"],
    }
    words = [f"{name} Customer", f"{name}s ", email, phone, number, merchant["id"]]
    return ids, words + [row["id"] for row in timeline]


def explore(title, schema, url, key, tenants, folder, max_examples, selection):
    """One pass over the selected operations: how many were asked, and how many of them failed."""
    print(f"\n── {title} ──", flush=True)
    (folder / "tenants.json").write_text(json.dumps(tenants))
    report = folder / "report.json"
    report.unlink(missing_ok=True)
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", schema, "--url", url,
        "--header", f"Authorization: Bearer {key}", "--checks", ",".join(CHECKS), "--seed", SEED,
        "--generation-deterministic", "--max-examples", str(max_examples), "--phases", "examples,coverage,fuzzing",
        "--no-color", "--no-shrink", "--continue-on-failure", "--request-timeout", "20", "--warnings", "off",
        "--suppress-health-check", "all", "--report", "json", "--report-json-path", report, *selection,
    ]
    environment = os.environ | {
        "SCHEMATHESIS_HOOKS": "schema_hooks", "PYTHONPATH": str(HERE),
        "POSTCALL_TENANTS": str(folder / "tenants.json"),
    }
    ended = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           text=True, check=False)
    print(ended.stdout)
    told = json.loads(report.read_text()) if report.exists() else {"operations": {"selected": 0, "tested": 0}}
    selected, tested = told["operations"]["selected"], told["operations"]["tested"]
    if ended.returncode == 0 and 0 < tested == selected:
        return tested, 0
    return max(tested - 1, 0), 1


def judge(options, stage, folder):
    url, first_key = stage["product_url"], stage["api_key"]
    second = operator(options.binary, folder, "merchant", "add", "--name", "Quarry & Sons")
    second_key = operator(options.binary, folder, "key", "add", second)
    first_ids, first_words = furnish(url, first_key, "Aldous", "ALD-4711", "+14155550181")
    second_ids, second_words = furnish(url, second_key, "Brunhild", "BRU-4712", "+14155550182")
    schema = f"{url}/openapi.json"
    private = stage["metrics_url"].removesuffix("/metrics")
    of_first = {"ids": {kind: (first_ids[kind], second_ids[kind]) for kind in first_ids}, "forbidden": second_words}
    of_second = {"ids": {kind: (second_ids[kind], first_ids[kind]) for kind in first_ids}, "forbidden": first_words}
    everything = {"ids": {}, "forbidden": first_words + second_words}
    examples = options.max_examples
    outcomes = [
        explore("the first merchant", schema, url, first_key, of_first, folder, examples, PUBLIC),
        explore("the second merchant", schema, url, second_key, of_second, folder, examples, PUBLIC),
        explore("the private listener", schema, private, first_key, everything, folder, 3, PRIVATE),
    ]
    passed, failed = (sum(counts) for counts in zip(*outcomes, strict=True))
    # Whoever may read these words does: the check that looks for them must see it.
    one = ["--include-operation-id", "list_customers"]
    _, seen = explore("a check of the check: this must fail", schema, url, first_key, everything, folder, 3, one)
    print(f"{passed + seen} passed, {failed + (1 - seen)} failed")
    return failed == 0 and seen == 1


def operator(binary, folder, *line):
    store = {
        "POSTCALL_DATABASE_URL": f"sqlite://{folder}/data/postcall.db", "POSTCALL_KEYS": f"any:{'A' * 43}=",
    }
    ended = subprocess.run([binary, *line], env=os.environ | store, check=True, stdout=subprocess.PIPE, text=True)
    return ended.stdout.strip()


def ready(product, file):
    deadline = time.monotonic() + START_LIMIT_S
    while not file.exists() or not file.read_text():
        if time.monotonic() > deadline or product.poll() is not None:
            sys.exit("the product did not start")
        time.sleep(0.1)
    return json.loads(file.read_text())


def main():
    options = argparse.ArgumentParser()
    options.add_argument("binary", type=pathlib.Path)
    options.add_argument("--max-examples", type=int, default=15)
    options = options.parse_args()
    options.binary = options.binary.resolve()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        demo = ["demo", "--port", "0", "--ready-file", folder / "ready.json", "--data", folder / "data"]
        product = subprocess.Popen([options.binary, *demo], stdout=subprocess.DEVNULL)
        try:
            went_well = judge(options, ready(product, folder / "ready.json"), folder)
        finally:
            product.terminate()
            ending = product.wait(timeout=60)
    sys.exit(0 if went_well and ending == 0 else 1)


if __name__ == "__main__":
    main()
