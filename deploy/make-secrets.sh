#!/bin/sh
# Makes the files that docker-compose.yml mounts as secrets, into deploy/secrets or the folder given. A file that exists
# is left as it is: write a real provider's secret into one before or after.
set -eu
folder=${1:-$(dirname "$0")/secrets}
mkdir -p "$folder"
# Only the owner enters the folder; the files themselves are read by the containers' own users.
chmod 0700 "$folder"

random() { head -c "$1" /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }
keep() {
    [ -e "$folder/$1" ] || printf '%s\n' "$2" > "$folder/$1"
    chmod 0444 "$folder/$1"
}

keep postgres_password "$(random 24)"
keep database_url "postgres://postcall:$(cat "$folder/postgres_password")@postgres:5432/postcall"
# Whoever has no password may ask whether Redis lives, and nothing else.
[ -e "$folder/redis_url" ] || password=$(random 24)
[ -e "$folder/redis_users" ] || {
    printf 'user default on nopass -@all +ping\n'
    printf 'user postcall on ~* &* +@all -@dangerous >%s\n' "$password"
} > "$folder/redis_users"
keep redis_users ''
keep redis_url "redis://postcall:${password:-}@redis:6379/"
keep keys "k1:$(head -c 32 /dev/urandom | base64)"
keep grafana_password "$(random 12)"
# The simulated providers'.
keep stripe_secret_key sk_test_simulated
keep stripe_webhook_secrets whsec_simulated
keep twilio_auth_tokens simulated-auth-token
keep smtp_url smtp://mail:1025
