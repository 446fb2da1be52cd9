"""Time and accuracy of the mode engine beside legume-gme and Meep, on the same cells, in one run.

    python scripts/benchmark.py            # all of it; Meep takes minutes
    python scripts/benchmark.py --no-meep
    python scripts/benchmark.py --small    # a minute's worth, what the tests run

One BLAS thread. Every time is the median of several runs after one warm-up, as wall time and as processor time of this
process; on a busy machine only the second means something. Bounds hold for a quiet machine, on which the eigenvalues of
a random complex 25 × 25 matrix take 0.45 ms; the same is timed here, and what is judged is the time over that ratio.
"""

# ruff: noqa: E402  (the number of threads is set before numpy is imported)
from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import argparse
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cavitydesign.errors import CavityError
from cavitydesign.geometry.stack import Stack
from cavitydesign.solvers import Modes, Poles, solve
from cavitydesign.study.follow import follow

QUIET_EIG_MS = 0.45
WINDOW = (560.0, 750.0)
FILLING = 0.30


@dataclass(frozen=True)
class Timed:
    """Median wall and processor time in s, those of the first run, and what the last one returned."""

    wall_s: float
    cpu_s: float
    first_s: float
    value: Any


def timed(work: Callable[[], Any], *, repeats: int) -> Timed:
    """One warm-up, then the median of ``repeats`` runs."""
    wall, cpu = [], []
    value = None
    for _ in range(repeats + 1):
        start, used = time.perf_counter(), time.process_time()
        value = work()
        wall.append(time.perf_counter() - start)
        cpu.append(time.process_time() - used)
    return Timed(float(np.median(wall[1:])), float(np.median(cpu[1:])), cpu[0], value)


def reference_cell(period_nm: float = 360.0) -> Stack:
    """{air | QS 1.85, 60 nm | n = 2.0, 170 nm with circles of QS filling 30 % | 1.46}."""
    radius = math.sqrt(FILLING / math.pi) * period_nm
    return _stack(
        period_nm,
        [
            {"material": {"n": 1.85}, "thickness_nm": 60.0, "gain": True},
            {
                "material": {"n": 2.0},
                "thickness_nm": 170.0,
                "inclusions": [
                    {"shape": "circle", "radius_nm": radius, "material": {"n": 1.85}, "gain": True}
                ],
            },
        ],
        {"n": 1.46},
    )


def pillar_cell(on: str) -> Stack:
    """Silicon pillars (n = 3.87 + 0.016i, 140 nm wide, 200 nm high) in a film of 300 nm, on oxide or on silicon."""
    silicon = {"n": 3.87, "k": 0.016}
    film = {"material": {"n": 1.85}, "gain": True}
    pillars = {
        **film,
        "thickness_nm": 200.0,
        "inclusions": [{"shape": "circle", "radius_nm": 70.0, "material": silicon}],
    }
    return _stack(
        360.0, [{**film, "thickness_nm": 100.0}, pillars], silicon if on == "silicon" else {"n": 1.46}
    )


def _stack(period_nm: float, layers: list[dict[str, Any]], below: dict[str, float]) -> Stack:
    return Stack.model_validate(
        {
            "lattice": {"kind": "square", "period_nm": period_nm},
            "layers": [{"material": {"n": 1.0}}, *layers, {"material": below}],
        }
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Print the comparison; 0 when it ran, whatever the times are."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--small", action="store_true", help="coarse and quick: what the tests run")
    parser.add_argument("--no-meep", action="store_true", help="leave Meep out")
    parser.add_argument("--repeats", type=int, default=9, help="timed runs of each kind (default 9)")
    options = parser.parse_args(argv)
    small, repeats = options.small, 2 if options.small else max(options.repeats, 1)
    ratio = machine()
    engine, exact = cell(ratio, repeats=repeats, small=small)
    legume(engine, exact, small=small, repeats=repeats)
    if options.no_meep or small:
        print("\nMeep                    left out")
    else:
        meep(engine, exact)
    sweep(ratio, small=small)
    pillars(ratio, small=small)
    return 0


def machine() -> float:
    """How much slower than the quiet machine: ratio of the times of one small eigenvalue problem."""
    random = np.random.default_rng(0)
    matrix = random.normal(size=(25, 25)) + 1j * random.normal(size=(25, 25))
    one = timed(lambda: [np.linalg.eig(matrix) for _ in range(20)], repeats=15)
    ratio = one.cpu_s / 20 * 1e3 / QUIET_EIG_MS
    print(
        f"machine: numpy {np.__version__}; eig of 25 x 25 complex takes {one.cpu_s / 20 * 1e3:.2f} ms of processor,"
    )
    print(
        f"  {ratio:.2f} x that of the quiet machine; wall / processor time is {one.wall_s / one.cpu_s:.2f}\n"
    )
    return ratio


def cell(ratio: float, *, repeats: int, small: bool) -> tuple[Timed, Modes]:
    """The reference cell with the engine, against its own converged values."""
    engine = timed(lambda: solve(reference_cell(), Poles(), window_nm=WINDOW), repeats=repeats)
    tight = Poles(waves=97) if small else Poles(tolerance_nm=0.0005, q_tolerance=0.0003, max_waves=1600)
    exact = solve(reference_cell(), tight, window_nm=WINDOW).modes
    print("reference cell, 560-750 nm, all modes with Q, default tolerance")
    _line("poles", engine, _errors(engine.value.modes, exact))
    _judge("60 ms", engine.cpu_s / ratio, 0.060)
    print(
        f"  status {engine.value.status.name}; cold (first run in the process): {1e3 * engine.first_s:.0f} ms"
    )
    for row in engine.value.modes:
        q = "     inf" if math.isinf(row.q) else f"{row.q:8.1f}"
        print(f"    {row.wavelength_nm:9.4f} nm  Q {q}  {row.symmetry} x{row.degeneracy}")
    return engine, exact


def legume(engine: Timed, exact: Modes, *, small: bool, repeats: int) -> None:
    """legume-gme at the smallest cutoff from which on its own Q moves by less than 1 %."""
    try:
        import legume as package
    except ImportError:
        print('\nlegume-gme              not installed (pip install "cavitydesign[bench]")')
        return
    found = {
        gmax: guided_modes(package, gmax)
        for gmax in ((2.01, 3.01) if small else (2.01, 3.01, 4.01, 5.01, 6.01, 7.01))
    }
    cutoffs = sorted(found)
    best = found[cutoffs[-1]][1]
    stable = next(g for g in cutoffs if all(_q_spread(found[h][1], best) < 0.01 for h in cutoffs if h >= g))
    run = timed(lambda: guided_modes(package, stable), repeats=repeats)
    waves, pairs = run.value
    print(f"\nlegume-gme {package.__version__}, {waves} plane waves (its Q is stable to 1 % from there on)")
    _line("legume", run, _pair_errors(pairs, exact))
    print(
        f"  poles / legume: {engine.cpu_s / run.cpu_s:.2f} of its processor time, "
        f"{engine.wall_s / run.wall_s:.2f} of its wall time"
    )


def guided_modes(package: Any, gmax: float) -> tuple[int, list[tuple[float, float]]]:
    """(number of plane waves, [(λ in nm, Q), ...]) of the reference cell by guided-mode expansion, in the window."""
    crystal = package.PhotCryst(package.Lattice("square"), eps_l=1.46**2, eps_u=1.0)
    crystal.add_layer(d=170.0 / 360.0, eps_b=4.0)
    crystal.add_shape(package.Circle(eps=1.85**2, r=math.sqrt(FILLING / math.pi)))
    crystal.add_layer(d=60.0 / 360.0, eps_b=1.85**2)
    expansion = package.GuidedModeExp(crystal, gmax=gmax, truncate_g="abs")
    expansion.run(kpoints=np.zeros((2, 1)), gmode_inds=[0, 1, 2, 3], numeig=9, verbose=False, compute_im=True)
    pairs = []
    for real, imag in zip(expansion.freqs[0], expansion.freqs_im[0], strict=True):
        if real > 0.0 and WINDOW[0] <= 360.0 / real <= WINDOW[1]:
            pairs.append((360.0 / float(real), float(real / (2.0 * imag)) if imag > 1e-12 else math.inf))
    return int(expansion.gvec.shape[1]), pairs


def meep(engine: Timed, exact: Modes) -> None:
    """Meep, one mirror class (that of the bright modes) at 50 and 100 pixels per µm."""
    from cavitydesign.solvers.fdtd import Fdtd

    print("\nMeep, bright mirror class only (half of the bright modes; the dark ones need further runs)")
    for resolution in (50.0, 100.0):
        settings = Fdtd(pixels_per_um=(resolution,), classes=("+-",))
        start = time.perf_counter()
        try:
            solution = solve(reference_cell(), settings, window_nm=WINDOW)
        except CavityError as error:
            print(f"  {resolution:.0f} px/µm: unavailable: {error}")
            return
        wall = time.perf_counter() - start
        pairs = [(row.wavelength_nm, row.q) for row in solution.modes]
        wavelength, q = _pair_errors(pairs, exact)
        print(
            f"  {resolution:3.0f} px/µm: {wall:8.1f} s wall (other process); λ off by {wavelength:.3f} nm, "
            f"Q by {100.0 * q:.2f} %; engine {wall / engine.wall_s:.0f} x quicker by wall time"
        )


def sweep(ratio: float, *, small: bool) -> None:
    """The period from 320 to 460 nm in 1 nm steps, every mode followed with Q and confinement."""
    periods = np.arange(350.0, 371.0, 5.0) if small else np.arange(320.0, 460.5, 1.0)
    run = timed(lambda: follow(reference_cell, periods.tolist(), window_nm=WINDOW), repeats=1 if small else 3)
    followed = run.value
    points = int(np.isfinite(followed.wavelength_nm).sum())
    print(
        f"\nsweep of the period, {len(periods)} points: {len(followed.labels)} modes, {points} rows, "
        f"proven: {followed.proven}"
    )
    _line("follow", run, None)
    if not small:
        _judge("4 s", run.cpu_s / ratio, 4.0)


def pillars(ratio: float, *, small: bool) -> None:
    """Silicon pillars to 0.2 nm and 2 %; error against 0.02 nm and 0.2 %."""
    asked = Poles(tolerance_nm=0.2, q_tolerance=0.02)
    print("\nsilicon pillars in a film, λ to 0.2 nm and Q to 2 %")
    for on in ("oxide",) if small else ("oxide", "silicon"):
        tight = asked if small else Poles(tolerance_nm=0.02, q_tolerance=0.002, max_waves=1600)
        exact = solve(pillar_cell(on), tight, window_nm=WINDOW)
        run = timed(lambda on=on: solve(pillar_cell(on), asked, window_nm=WINDOW), repeats=1 if small else 3)
        _line(f"on {on}", run, _errors(run.value.modes, exact.modes))
        print(
            f"  status {run.value.status.name}, {len(run.value.modes)} modes (reference: {exact.status.name}, "
            f"{len(exact.modes)}), {run.value.provenance['waves']} plane waves at most"
        )
        _judge("1 s", run.cpu_s / ratio, 1.0)


def _line(name: str, run: Timed, errors: tuple[float, float] | None) -> None:
    text = f"  {name:<12}{1e3 * run.wall_s:9.1f} ms wall {1e3 * run.cpu_s:9.1f} ms processor"
    if errors is not None:
        text += f"   λ off by at most {errors[0]:.4f} nm, Q by {100.0 * errors[1]:.2f} %"
    print(text)


def _judge(name: str, quiet_s: float, bound_s: float) -> None:
    word = "within" if quiet_s <= bound_s else "NOT within"
    print(f"  {1e3 * quiet_s:.0f} ms on the quiet machine: {word} the bound of {name}")


def _errors(modes: Modes, exact: Modes) -> tuple[float, float]:
    return _pair_errors([(row.wavelength_nm, row.q) for row in modes], exact)


def _pair_errors(pairs: list[tuple[float, float]], exact: Modes) -> tuple[float, float]:
    """Largest |Δλ| in nm and |ΔQ/Q| of bright and of dark modes against the nearest exact mode of that kind."""
    wavelength, quality = math.nan, math.nan
    for value, q in pairs:
        same = [row for row in exact if math.isinf(row.q) == (not math.isfinite(q) or q > 1e8)]
        if not same:
            continue
        row = min(same, key=lambda item: abs(item.wavelength_nm - value))
        wavelength = np.fmax(wavelength, abs(row.wavelength_nm - value))
        if math.isfinite(row.q):
            quality = np.fmax(quality, abs(q / row.q - 1.0))
    return float(wavelength), float(quality)


def _q_spread(pairs: list[tuple[float, float]], best: list[tuple[float, float]]) -> float:
    finite = [[q for _, q in sorted(found) if q < 1e8] for found in (pairs, best)]
    if len(finite[0]) != len(finite[1]):
        return math.inf
    return max((abs(a / b - 1.0) for a, b in zip(*finite, strict=True)), default=math.inf)


if __name__ == "__main__":
    sys.exit(main())
