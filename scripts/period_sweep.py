"""Period sweep of a design: table, netCDF and the map of lasing wavelength against period.

python scripts/period_sweep.py layouts/pcsel.toml --periods 320:460:1 --out out/pcsel-periods
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from cavitydesign.errors import CavityError
from cavitydesign.geometry.load import load_design
from cavitydesign.report.plots import period_map, save
from cavitydesign.solvers.bragg import Bragg
from cavitydesign.solvers.poles import Poles
from cavitydesign.solvers.solution import Solution
from cavitydesign.study.peaks import published_beside, read_peaks
from cavitydesign.study.predict import mode_thresholds
from cavitydesign.study.store import Store
from cavitydesign.study.sweep import Axis, Sweep, following, sweep


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study; the exit code is 0, or that of the error."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("design", type=Path)
    parser.add_argument("--periods", default="320:460:1", help="first:last:step in nm")
    parser.add_argument(
        "--bragg", action="store_true", help="the scalar m λ = 2 n_eff Λ instead of rigorous poles"
    )
    parser.add_argument("--out", type=Path, default=Path("out/period_sweep"))
    options = parser.parse_args(arguments)
    try:
        design = load_design(options.design)
        published = published_beside(options.design)
        peaks = read_peaks(published) if published else ()
        axis = Axis.parse(f"lattice.period_nm={options.periods}")
        line = None if options.bragg else following(axis.path)
        done = sweep(
            design,
            [axis],
            Bragg() if options.bragg else Poles(),
            store=Store(options.out / "store"),
            run_line=line,
        )
        files = done.write(options.out)
        save(period_map(done, peaks=peaks), options.out / "period_map.png")
    except CavityError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    for text in slopes(done):
        print(text)
    print(f"wrote {', '.join(map(str, files))} and {options.out / 'period_map.png'}")
    return 0


def slopes(done: Sweep) -> list[str]:
    """How the bright mode of lowest threshold moves with the period, one line per stretch of one symmetry."""
    points = [
        (p.values["lattice.period_nm"], o.modes)
        for p, o in zip(done.points, done.outcomes, strict=True)
        if isinstance(o, Solution)
    ]
    points = [(period, modes) for period, modes in points if len(modes)]
    found = mode_thresholds([(done.design, modes) for _, modes in points])
    best = []
    for (period, modes), thresholds in zip(points, found, strict=True):
        rows = [row for row in range(len(modes)) if thresholds.lasing[row] and not thresholds.dark[row]]
        if rows:
            row = min(rows, key=lambda at: thresholds.value[at])
            best.append((period, str(modes["polarization"][row]), float(modes["wavelength_nm"][row])))
    lines = []
    for kind in dict.fromkeys(item[1] for item in best):
        own = [(period, wavelength) for period, name, wavelength in best if name == kind]
        if len(own) > 1:
            slope = (own[-1][1] - own[0][1]) / (own[-1][0] - own[0][0])
            lines.append(f"{kind or 'modes'}: Λ = {own[0][0]:g}-{own[-1][0]:g} nm, dλ/dΛ = {slope:.3f} nm/nm")
    return lines or ["no bright mode of the sweep reaches threshold"]


if __name__ == "__main__":
    sys.exit(main())
