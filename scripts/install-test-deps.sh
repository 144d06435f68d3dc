#!/usr/bin/env bash
# What `make test` needs beside Rust and Node: PostgreSQL 15+, Chromium, and fonts for all five widget languages.
# On Debian and Ubuntu, as root, missing packages are installed; elsewhere it says exactly what is missing and stops.
set -euo pipefail

missing=()
have_postgres() { command -v postgres >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null; }
have_chromium() {
  [ -n "${CHROME_PATH:-}" ] || command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null
}
have_fonts() { compgen -G '/usr/share/fonts/truetype/noto/NotoSansArabic*' >/dev/null || fc-list 2>/dev/null | grep -qi 'noto.*arabic'; }

have_postgres || missing+=(postgresql)
have_chromium || missing+=(chromium)
have_fonts || missing+=(fonts-noto-core)
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
  cat >&2 <<TEXT
The tests need these Debian packages (or your system's like): ${missing[*]}
  Debian, Ubuntu:  sudo apt-get install ${missing[*]}
  elsewhere:       PostgreSQL 15 or newer with initdb on this machine; any Chromium (CHROME_PATH=/path/to/it); Noto Sans with Arabic
TEXT
  exit 1
fi

export DEBIAN_FRONTEND=noninteractive
install() {
  # Packages bring no running service along: the tests start their own PostgreSQL and nothing else.
  apt-get -q update && apt-get -q install -y --no-install-recommends "$@"
}
echo "installing for the tests: ${missing[*]}"
# A mirror that hiccups once is usual, one that hiccups twice is broken.
install "${missing[@]}" || { sleep 10; install "${missing[@]}"; }
