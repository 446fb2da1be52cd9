#!/bin/sh
# Resolve pyproject.toml with all extras in a clean environment and write what came out to constraints.txt.
set -eu
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT INT TERM
.venv/bin/python -m venv "$scratch/venv"
"$scratch/venv/bin/python" -m pip install -q --no-compile hatchling editables
"$scratch/venv/bin/python" -m pip install -q --no-compile --no-build-isolation -e '.[dev,bench]'
{
    sed -n '/^#/p' constraints.txt
    "$scratch/venv/bin/python" -m pip freeze --exclude-editable
} > "$scratch/constraints.txt"
if grep -n '@\|://' "$scratch/constraints.txt" | grep -v '^[0-9]*:#'; then
    echo "a pin above is an address, not a version; constraints.txt is left as it was" >&2
    exit 1
fi
mv "$scratch/constraints.txt" constraints.txt
