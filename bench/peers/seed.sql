-- The merchants, customers and invoices of the peer benchmark, in our own tables: invoice n belongs to customer n and
-- merchant (n - 1) % 100 + 1; customer n has the phone +1212 and 2000000 + n. 20,000 events are history.
create function ident(prefix text, n bigint) returns text language sql immutable as
  $$ select prefix || '_' || lpad(n::text, 26, '0') $$;

insert into merchants (id, name, locale, time_zone, country, sms_sender, sms_countries, fee_basis_points, fee_fixed_minor,
  fee_min_minor, secret_generation, renewal_allowed, payable_on_hold, asked_exempt_from_hours, texts_per_day_max,
  texts_per_number_per_day_max, created_at_ms)
select ident('mer', m), 'Merchant ' || m, 'en', 'America/New_York', 'US', '+1646' || (2000000 + m), 'US,CA', 1000, 0, 0, 1, true,
  true, true, 1000000000, 1000000000, 0
from generate_series(1, 100) m;

insert into api_keys (id, merchant_id, name, secret_hash, scopes, created_at_ms)
select ident('key', m), ident('mer', m), 'bench', encode(sha256(lpad(m::text, 43, '0')::bytea), 'hex'), 'events:write', 0
from generate_series(1, 100) m;

insert into customers (id, merchant_id, name, phone, line_type, email, locale, time_zone, created_at_ms, updated_at_ms)
select ident('cus', n), ident('mer', (n - 1) % 100 + 1), 'Customer ' || n, '+1212' || (2000000 + n), 'mobile',
  'customer' || n || '@mail.example', 'en-US', 'America/New_York', 0, 0
from generate_series(1, 80000) n;

insert into invoices (id, merchant_id, customer_id, number, currency, tax_minor, total_minor, paid_minor, due_on, status, on_hold,
  revision, created_at_ms, updated_at_ms)
select ident('inv', n), ident('mer', (n - 1) % 100 + 1), ident('cus', n), 'INV-' || lpad(n::text, 6, '0'), 'USD', 0,
  1000 + (n * 7919) % 90000, 0, (date '2030-01-01' + (n % 365)::int)::text, 'open', false, 1, 0, 0
from generate_series(1, 80000) n;

-- A month ago, in milliseconds.
create function long_ago() returns bigint language sql stable as
  $$ select (extract(epoch from now()) * 1000)::bigint - 2592000000 $$;

insert into call_events (id, merchant_id, dedupe_key, source, call_id, intent, invoice_ref, invoice_id, disposition, reason, body,
  occurred_at_ms, received_at_ms)
select ident('evt', k), ident('mer', (k - 1) % 100 + 1), encode(sha256(('history ' || k)::bytea), 'hex'), 'bench', 'call_' || md5('c' || k),
  'send_link', ident('inv', 60000 + k), ident('inv', 60000 + k), 'accepted', 'send_link',
  json_build_object('type', 'call.completed', 'spec_version', '1', 'source', 'bench', 'call_id', 'call_' || md5('c' || k),
    'outcome', json_build_object('intent', 'send_link', 'evidence', 'The customer confirmed the open invoice.'))::text,
  long_ago(), long_ago()
from generate_series(1, 20000) k;

insert into links (id, merchant_id, invoice_id, chain_id, sequence, cause, wish_key, event_id, token_hash, key_id, status,
  created_at_ms, sent_at_ms, expires_at_ms, ended_at_ms)
select ident('lnk', k), ident('mer', (k - 1) % 100 + 1), ident('inv', 60000 + k), ident('lnk', k), 1, 'call',
  'call:' || md5('w' || k), ident('evt', k), encode(sha256(('link ' || k)::bytea), 'hex'), 'bench', 'expired', long_ago(), long_ago(),
  long_ago() + 604800000, long_ago() + 604800000
from generate_series(1, 20000) k;

insert into messages (id, merchant_id, invoice_id, purpose, purpose_ref, channel, recipient, sender, locale, status, segments,
  created_at_ms, accepted_at_ms)
select ident('msg', k), ident('mer', (k - 1) % 100 + 1), ident('inv', 60000 + k), 'link', ident('lnk', k), 'sms', '+1212' || (2060000 + k),
  '+1646' || (2000000 + (k - 1) % 100 + 1), 'en-US', 'sent', 1, long_ago(), long_ago()
from generate_series(1, 20000) k;

insert into send_attempts (id, merchant_id, message_id, ordinal, status, fence, started_at_ms, deadline_at_ms, ended_at_ms, lookups,
  provider_id)
select ident('att', k), ident('mer', (k - 1) % 100 + 1), ident('msg', k), 1, 'accepted', 1, long_ago(), long_ago() + 8000, long_ago(), 0,
  'SM' || md5(k::text)
from generate_series(1, 20000) k;

insert into timeline (id, merchant_id, invoice_id, kind, actor, detail, at_ms)
select ident('tle', k), ident('mer', (k - 1) % 100 + 1), ident('inv', 60000 + k), 'message_sent', 'system', '{}', long_ago()
from generate_series(1, 20000) k;

insert into jobs (id, kind, subject, unique_key, merchant_id, lane, status, due_at_ms, attempts, crashes, fence, enqueued_at_ms,
  finished_at_ms)
select ident('job', k), 'send_link', ident('msg', k), ident('msg', k), ident('mer', (k - 1) % 100 + 1), 'intents', 'done', long_ago(), 0, 0, 1,
  long_ago(), long_ago()
from generate_series(1, 20000) k;

drop function long_ago();
