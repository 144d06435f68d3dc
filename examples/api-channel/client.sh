#!/bin/sh
# A small client of the open API channel: curl to bring a message, openssl to sign and to check.
#
#   export CONTINUO_URL=https://desk.example.com CONTINUO_INBOX=ibx_... CONTINUO_KEY=cik_... CONTINUO_WEBHOOK_SECRET=whsec_...
#   client.sh check                                   is the key right?
#   client.sh send EVENT_ID CUSTOMER_ID TEXT          shows the key
#   client.sh send-signed EVENT_ID CUSTOMER_ID TEXT   signs instead, so that the key never travels
#   client.sh upload FILE                             gives the id that a message names
#   client.sh verify ID TIMESTAMP SIGNATURES < BODY   does a webhook come from Continuo? exit 0: yes
set -eu

door() { printf '%s/api/v1/channel/%s' "${CONTINUO_URL%/}" "$CONTINUO_INBOX"; }

# JSON text of an argument: backslash, quote and control characters written as JSON wants them.
json() { printf '%s' "$1" | tr '\n\r\t' '   ' | sed 's/\\/\\\\/g; s/"/\\"/g; s/.*/"&"/'; }

# sign SECRET ID TIMESTAMP < BODY: one signature by the Standard Webhooks convention.
sign() {
  key=$(printf '%s' "${1#*_}" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
  printf 'v1,'
  { printf '%s.%s.' "$2" "$3"; cat; } | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | openssl base64 -A
}

message() {
  printf '{"event_id":%s,"kind":"message","from":{"id":%s},"text":%s}' "$(json "$1")" "$(json "$2")" "$(json "$3")"
}

case "${1:-}" in
check)
  curl -sS --fail-with-body -H "Authorization: Bearer $CONTINUO_KEY" "$(door)"
  ;;
send)
  message "$2" "$3" "$4" | curl -sS --fail-with-body --retry 3 -H "Authorization: Bearer $CONTINUO_KEY" \
    -H 'Content-Type: application/json' --data-binary @- "$(door)/events"
  ;;
send-signed)
  body=$(message "$2" "$3" "$4") now=$(date +%s)
  printf '%s' "$body" | curl -sS --fail-with-body -H "webhook-id: $2" -H "webhook-timestamp: $now" \
    -H "webhook-signature: $(printf '%s' "$body" | sign "$CONTINUO_KEY" "$2" "$now")" \
    -H 'Content-Type: application/json' --data-binary @- "$(door)/events"
  ;;
upload)
  curl -sS --fail-with-body -H "Authorization: Bearer $CONTINUO_KEY" -F "file=@$2" "$(door)/files"
  ;;
verify)
  age=$(($(date +%s) - $3))
  if [ "$age" -gt 300 ] || [ "$age" -lt -300 ]; then
    echo "too old, or from the future: $age s" >&2
    exit 1
  fi
  expected=$(sign "$CONTINUO_WEBHOOK_SECRET" "$2" "$3")
  for given in $4; do
    [ "$given" = "$expected" ] && exit 0
  done
  echo "the signature is wrong" >&2
  exit 1
  ;;
*)
  sed -n '2,10s/^# \{0,1\}//p' "$0" >&2
  exit 2
  ;;
esac
