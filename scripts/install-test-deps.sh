#!/usr/bin/env bash
# What `make test` needs beside Rust and Node: PostgreSQL 15+, Chromium, fonts for all five widget languages, and real mail
# servers (Dovecot, Postfix, dnsmasq, swaks), which the tests start on loopback in folders of their own.
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
have() { command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ]; }
have dovecot || missing+=(dovecot-imapd)
[ -x /usr/lib/dovecot/lmtp ] || [ -x /usr/libexec/dovecot/lmtp ] || missing+=(dovecot-lmtpd)
have postfix || missing+=(postfix)
have dnsmasq || missing+=(dnsmasq-base)
have swaks || missing+=(swaks)
have openssl || missing+=(openssl)
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
  cat >&2 <<TEXT
The tests need these Debian packages (or your system's like): ${missing[*]}
  Debian, Ubuntu:  sudo apt-get install ${missing[*]}
  elsewhere:       PostgreSQL 15 or newer with initdb on this machine; any Chromium (CHROME_PATH=/path/to/it); Noto Sans with Arabic;
                   Dovecot 2.3 with LMTP, Postfix 3.4 or newer, dnsmasq, swaks, openssl
TEXT
  exit 1
fi

export DEBIAN_FRONTEND=noninteractive
# Packages bring no running service along: the tests start their own servers and nothing else. While this file is there, no
# package may start one; it goes away again, unless it was there before.
if [ ! -e /usr/sbin/policy-rc.d ]; then
  printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
  chmod 755 /usr/sbin/policy-rc.d
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
fi
# Postfix asks what it is for; it is for nothing but the tests, which bring their own configuration.
case " ${missing[*]} " in
  *" postfix "*) echo 'postfix postfix/main_mailer_type select No configuration' | debconf-set-selections ;;
esac
install() {
  apt-get -q update && apt-get -q install -y --no-install-recommends "$@"
}
echo "installing for the tests: ${missing[*]}"
# A mirror that hiccups once is usual, one that hiccups twice is broken.
install "${missing[@]}" || { sleep 10; install "${missing[@]}"; }
