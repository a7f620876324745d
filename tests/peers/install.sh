#!/usr/bin/env bash
# Installs the servers that the peer tests talk to: cloud emulators that nobody here wrote. Idempotent; pip only.
# Usage: tests/peers/install.sh [FOLDER]   (default: $PAGERDECK_PEERS, else ~/.cache/pagerdeck-peers)
set -euo pipefail
folder=${1:-${PAGERDECK_PEERS:-$HOME/.cache/pagerdeck-peers}}
wanted="ministack==1.5.33 cbor2 moto[server]==5.2.5"
stamp=$folder/installed
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
  echo "peers are installed in $folder"
  exit 0
fi
mkdir -p "$folder"
python3 -m venv "$folder/venv"
# shellcheck disable=SC2086  # one word a requirement
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check $wanted
echo "$wanted" > "$stamp"
echo "peers installed in $folder"
