"""How fast λ and Q of a design's modes converge with the number of plane waves, against the naive factorisation.

    python scripts/convergence.py layouts/pcsel.toml --out out/convergence.png

Two panels, λ and 1/Q: the proper rule (a field of interface normals) beside Laurent's rule for everything.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from cavitydesign.errors import CavityError
from cavitydesign.geometry import load_design
from cavitydesign.report import plots
from cavitydesign.report.plots.modes import factorisation_convergence
from cavitydesign.solvers import Poles, solve
from cavitydesign.solvers.poles import Patterned


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw the figure; the exit code is that of the command line."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("design", type=Path, help="design file (TOML) of a patterned stack")
    parser.add_argument("--out", type=Path, default=Path("convergence.png"), help="picture to write")
    parser.add_argument("--most", type=int, default=3, help="number of modes to show, lossiest first")
    options = parser.parse_args(arguments)
    try:
        design = load_design(options.design)
        modes = sorted(solve(design, Poles(waves=97)).modes, key=lambda mode: mode.q)
        shown = [
            (f"{mode.symmetry} {mode.wavelength_nm:.1f} nm", mode.live.resonance)
            for mode in modes
            if isinstance(mode.live, Patterned) and not mode.dark
        ]
        plots.save(factorisation_convergence(shown[: options.most]), options.out)
    except CavityError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stderr.write(f"wrote {options.out}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
