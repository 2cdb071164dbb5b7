"""Postcall for the peer benchmark: `postcall api` and `postcall workers` on PostgreSQL and Redis, every rule on."""
import os

TITLE = "Postcall: Rust, one ledger in PostgreSQL, Redis for wake-ups"
DIR = os.environ.get("POSTCALL_ROOT", ".")
NEEDS_REDIS = True
SHARED_SCHEMA = False
PREPARE = [
    "target/release/postcall migrate",
    "psql -XAtq -1 -v ON_ERROR_STOP=1 -d {database_url} -f bench/peers/seed.sql",
    "psql -XAtq -d {database_url} -c 'vacuum analyze'",
]
API = ["target/release/postcall", "api", "--listen", "127.0.0.1:{port}", "--private-listen", "127.0.0.1:0"]
WORKER = ["target/release/postcall", "workers", "--private-listen", "127.0.0.1:0"]
ENV = {
    "POSTCALL_DATABASE_URL": "{database_url}",
    "POSTCALL_REDIS_URL": "{redis_url}",
    "POSTCALL_KEYS": "bench:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    "POSTCALL_PUBLIC_URL": "http://127.0.0.1:{port}",
    "POSTCALL_TWILIO_URL": "{sms_url}",
    "POSTCALL_TWILIO_ACCOUNT_SID": "{account_sid}",
    "POSTCALL_TWILIO_AUTH_TOKENS": "{auth_token}",
    "POSTCALL_SENDER_TEXTS_PER_MINUTE_MAX": "0",
    "POSTCALL_STRIPE_SECRET_KEY": "sk_test_bench",
    "POSTCALL_STRIPE_PUBLISHABLE_KEY": "pk_test_bench",
    "POSTCALL_STRIPE_WEBHOOK_SECRETS": "whsec_bench",
}
SENT_SQL = "select count(*) from messages where status = 'sent'"
TOKEN_SQL = None  # our hash is taken over the token's text, not over the bytes it spells


def ident(prefix, n):
    return f"{prefix}_{n:026d}"


def body(event):
    """The same facts in our canonical form. The customer's number is on file; the event does not repeat it."""
    return {
        "type": "call.completed", "spec_version": "1", "source": "bench", "call_id": event["call"]["id"],
        "occurred_at": event["occurred_at"], "merchant_id": ident("mer", event["merchant_id"]), "campaign_id": None,
        "invoice": {"id": ident("inv", event["invoice_id"])},
        "customer": {"phone": None, "email": None, "locale": event["call"]["language"], "timezone": None},
        "outcome": {"intent": "send_link", "confidence": event["intent"]["confidence"], "preferred_channel": "sms",
                    "evidence": event["intent"]["summary"], "reached": "human"},
    }


def headers(event, body):
    """Each merchant has a key of its own, as it would have."""
    merchant = event["merchant_id"]
    return {"authorization": f"Bearer pck_{merchant:026d}_{merchant:043d}", "webhook-id": event["id"]}
