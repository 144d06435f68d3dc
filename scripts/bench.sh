#!/usr/bin/env bash
# Yardsticks beside figures of the product: make bench [ONLY=ingest|idle|screen|sockets|lists] [SIZE=small|full].
# Prints tables as Markdown and keeps them in target/bench/; docs/BENCHMARKS.md tells what they mean.
set -euo pipefail
cd "$(dirname "$0")/.."

only=${ONLY:-}
export SIZE=${SIZE:-small}
case " ingest idle screen sockets lists " in
  *" ${only:-ingest} "*) ;;
  *) echo "bench: ONLY is one of ingest, idle, screen, sockets, lists" >&2; exit 2 ;;
esac
wants() { [ -z "$only" ] || [ "$only" = "$1" ]; }

out=target/bench
mkdir -p "$out"
# A bench of its own password and folder: what is in ./data is nobody's business here.
export CONTINUO_BIN=$PWD/target/release/continuo
password=bench-$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')

if wants idle || wants screen || wants sockets || wants lists; then
  cargo build --release --locked --bin continuo
fi
# The drivers hold as many files open as this account may.
ulimit -n "$(ulimit -Hn)" 2>/dev/null || true

driver() { (cd web/e2e && node "bench/$1.mjs") | tee "$out/$1.md"; }

if wants ingest; then cargo bench --locked -p continuo-testkit --bench ingest 2>/dev/null | tee "$out/ingest.md"; fi
if wants idle; then driver idle; fi
if wants screen; then driver screen; fi
if wants sockets; then driver sockets; fi
if wants lists; then
  count=50000
  if [ "$SIZE" = full ]; then count=1000000; fi
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  if [ -n "${CONTINUO_BENCH_FILLED:-}" ]; then
    # Filled before by `continuo demo --password ..`; given as FOLDER and CONTINUO_BENCH_PASSWORD.
    CONTINUO_BENCH_DATA=$CONTINUO_BENCH_FILLED
  else
    "$CONTINUO_BIN" demo --data "$folder" --conversations "$count" --password "$password" 2>&1 | tee "$out/fill.txt" | tail -n 3
    CONTINUO_BENCH_DATA=$folder CONTINUO_BENCH_PASSWORD=$password
  fi
  export CONTINUO_BENCH_DATA CONTINUO_BENCH_PASSWORD
  driver lists
  CONTINUO_BENCH_DB=$CONTINUO_BENCH_DATA/continuo.db cargo bench --locked -p continuo-testkit --bench lists 2>/dev/null | tee "$out/lists-bare.md"
fi
