#!/bin/sh
# Makes infra/check/schemas anew. For another version of Kubernetes, change it here and in extract.mjs.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/python"
"$work/python/bin/pip" install --quiet --no-deps kubernetes-validate==1.37.0
definitions=$(find "$work/python" -path '*/v1.35.0-local-strict/_definitions.json')
(cd "$work" && npm pack --silent dclint@3.1.0 >/dev/null && tar -xzf dclint-3.1.0.tgz)
node "$here/extract.mjs" "$definitions" "$work/package/schemas/compose.schema.json"
npx --prefix "$here/../.." biome format --write "$here/schemas"
