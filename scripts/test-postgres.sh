#!/usr/bin/env bash
# A throw-away PostgreSQL for the tests: own folder, own socket, a random port on 127.0.0.1, no fsync.
#   scripts/test-postgres.sh start           starts one and prints its URL and its folder
#   scripts/test-postgres.sh stop FOLDER     stops it and removes the folder
#   source scripts/test-postgres.sh          gives start_test_postgres (which exports CONTINUO_TEST_DATABASE_URL) and
#                                            stop_test_postgres to other scripts
# initdb refuses to run as root, so root does it as the account `postgres`.

test_postgres_bin() {
  local found newest=
  if found=$(command -v initdb); then dirname "$(readlink -f "$found")"; return; fi
  for found in /usr/lib/postgresql/*/bin /usr/local/opt/postgresql*/bin /opt/homebrew/opt/postgresql*/bin; do
    [ -x "$found/initdb" ] && newest=$found
  done
  [ -n "$newest" ] && printf '%s\n' "$newest"
}

as_test_postgres() {
  if [ "$(id -u)" -eq 0 ]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi
}

start_test_postgres() {
  local bin folder port attempt
  bin=$(test_postgres_bin) || { echo "no PostgreSQL is installed (initdb was not found); see scripts/install-test-deps.sh" >&2; return 1; }
  if [ "$(id -u)" -eq 0 ] && ! id postgres >/dev/null 2>&1; then
    echo "PostgreSQL does not run as root, and there is no account 'postgres' to run it as" >&2
    return 1
  fi
  folder=$(mktemp -d -t continuo-pg.XXXXXX) || return 1
  mkdir "$folder/socket" || return 1
  [ "$(id -u)" -ne 0 ] || chown -R postgres "$folder" || return 1
  as_test_postgres "$bin/initdb" --pgdata "$folder/data" --username continuo --auth trust --encoding UTF8 --locale C --no-sync \
    >"$folder/initdb.log" 2>&1 || { cat "$folder/initdb.log" >&2; return 1; }
  for attempt in 1 2 3 4 5 6 7 8; do
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 40000))
    # Durability is for those who keep their data; many connections, because each test has a database and threads of its own.
    if as_test_postgres "$bin/pg_ctl" --pgdata "$folder/data" --log "$folder/server.log" --wait --silent start --options \
      "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories=$folder/socket -c max_connections=500 \
       -c shared_buffers=64MB -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off \
       -c log_min_messages=fatal -c deadlock_timeout=100ms -c timezone=UTC" >/dev/null 2>&1; then
      TEST_POSTGRES_FOLDER=$folder
      export CONTINUO_TEST_DATABASE_URL="postgres://continuo@127.0.0.1:$port/postgres"
      return 0
    fi
  done
  cat "$folder/server.log" >&2
  rm -rf "$folder"
  return 1
}

stop_test_postgres() {
  local folder=${1:-${TEST_POSTGRES_FOLDER:-}}
  [ -n "$folder" ] || return 0
  [ -f "$folder/data/PG_VERSION" ] || { echo "$folder was not made by this script" >&2; return 1; }
  as_test_postgres "$(test_postgres_bin)/pg_ctl" --pgdata "$folder/data" --mode immediate --wait --silent stop >/dev/null 2>&1 || true
  rm -rf "$folder"
  TEST_POSTGRES_FOLDER=
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  set -euo pipefail
  case ${1:-} in
    start)
      start_test_postgres
      printf 'export CONTINUO_TEST_DATABASE_URL=%s\n# stop it: %s stop %s\n' "$CONTINUO_TEST_DATABASE_URL" "$0" "$TEST_POSTGRES_FOLDER"
      ;;
    stop) stop_test_postgres "${2:?which folder? \"start\" has printed it}" ;;
    *) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
fi
