"""Write every mask of ``layouts/masks`` as GDSII and OASIS with its manifest, after the rules, and read each file back.

python scripts/export_masks.py --out out/masks
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from cavitydesign import masks
from cavitydesign.errors import CavityError

HERE = Path(__file__).resolve().parent.parent


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0: every mask written, within the rules, and read back; 1: one is not; 2: an input is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--layouts", type=Path, default=HERE / "layouts" / "masks", help="folder of mask files"
    )
    parser.add_argument("--out", type=Path, default=Path("out") / "masks", help="folder to write to")
    parser.add_argument(
        "--only", action="append", default=[], help="name of a mask file without its ending; repeatable"
    )
    parser.add_argument("--format", action="append", choices=["gds", "oas"], default=[], help="default: both")
    options = parser.parse_args(argv)
    files = sorted(
        path for path in options.layouts.glob("*.toml") if not options.only or path.stem in options.only
    )
    if not files:
        print(f"{options.layouts}: no mask file to write", file=sys.stderr)
        return 2
    try:
        return max([export(path, options.out, tuple(options.format) or ("gds", "oas")) for path in files])
    except CavityError as error:
        print(error, file=sys.stderr)
        return error.exit_code


def export(path: Path, folder: Path, formats: Sequence[str] = ("gds", "oas")) -> int:
    """Write one mask; 0 when the rules hold and every file reads back."""
    spec = masks.load_mask(path)
    layout = masks.build(spec)
    violations = masks.check(layout)
    for violation in violations:
        print(f"{spec.name}: {violation}", file=sys.stderr)
    failed = any(violation.severity == "error" for violation in violations)
    for ending in formats:
        manifest = masks.write_named(spec, layout, folder, suffix=f".{ending}")
        found = masks.read_back(manifest.path, layout)
        failed |= not found.ok
        for problem in found.problems:
            print(f"{manifest.path}: {problem}", file=sys.stderr)
        state = "reads back" if found.ok else "DIFFERS"
        size = manifest.content["bytes"] / 1e3
        print(
            f"{manifest.path}  {size:7.1f} kB  {len(layout.devices):3d} devices  {found.copies:9d} features  {state}"
        )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
