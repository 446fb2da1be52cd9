"""The fast solver's modes beside FDTD's, matched one to one.

Two tables of modes are two witnesses of the same cavity. A pair is two modes that could be the same: symmetry
labels that do not contradict each other, the same degeneracy, and wavelengths within the joint error bar or within
``slack`` of each other (both methods are then worth a look). The pairing minimises the total distance in wavelength
and Q, and whatever stays alone is named, on both sides.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cavitydesign.files import json_ready
from cavitydesign.geometry.design import Design
from cavitydesign.geometry.stack import Stack
from cavitydesign.kinds import Window
from cavitydesign.solvers.ask import Ask, Solver, solve
from cavitydesign.solvers.match import partners
from cavitydesign.solvers.poles import Poles
from cavitydesign.solvers.solution import Mode, Solution

SLACK = 0.005
"""Largest relative distance in wavelength of a pair: the error of FDTD at 50 pixels/µm before extrapolation."""
_LOUD = 3.0
_FLOOR_NM, _FLOOR_Q = 5e-4, 0.03


@dataclass(frozen=True, slots=True)
class Pair:
    """One mode as both methods have it. ``sigma``: distance in joint error bars (the larger of λ's and Q's)."""

    fast: Mode
    fdtd: Mode
    wavelength_difference_nm: float
    wavelength_joint_err_nm: float
    q_difference: float
    q_joint_err: float
    sigma: float

    @property
    def agrees(self) -> bool:
        """Whether the distance is within three joint error bars."""
        return self.sigma <= _LOUD


@dataclass(frozen=True, slots=True)
class Verification:
    """Pairs and what stayed alone; ``ignored`` are the fast solver's modes that FDTD was not asked for, with
    the reason.
    """

    pairs: tuple[Pair, ...]
    only_fast: tuple[Mode, ...]
    only_fdtd: tuple[Mode, ...]
    ignored: tuple[tuple[Mode, str], ...]
    window_nm: Window
    fast: Solution = field(repr=False)
    fdtd: Solution = field(repr=False)

    @property
    def passed(self) -> bool:
        """Every mode has its partner, and every pair agrees."""
        return not self.only_fast and not self.only_fdtd and all(pair.agrees for pair in self.pairs)

    def record(self) -> dict[str, Any]:
        """A document for JSON; NaN and infinities become None."""
        names = (
            "agrees", "sigma", "wavelength_difference_nm", "wavelength_joint_err_nm", "q_difference", "q_joint_err",
        )  # fmt: skip
        return {
            "window_nm": list(self.window_nm),
            "passed": self.passed,
            "pairs": [
                {"fast": _plain(pair.fast), "fdtd": _plain(pair.fdtd), **_of(pair, names)}
                for pair in self.pairs
            ],
            "only_fast": [_plain(mode) for mode in self.only_fast],
            "only_fdtd": [_plain(mode) for mode in self.only_fdtd],
            "ignored": [{"mode": _plain(mode), "reason": reason} for mode, reason in self.ignored],
            "rejected_by_fdtd": [item.record() for item in self.fdtd.rejected],
        }


def verify(
    subject: Design | Stack, fast: Solver | None = None, fdtd: Solver | None = None, **asked: Any
) -> Verification:
    """Solve the infinite array with the fast solver (Poles by default) and with FDTD, and match the modes.

    Args:
        subject: a design or a stack.
        fast: settings of the fast solver.
        fdtd: settings of FDTD.
        asked: window, wavevector, progress, as :func:`cavitydesign.solvers.ask.solve` takes them.

    Raises:
        Unavailable: there is no Meep.
        SolverError: a job does not fit.
    """
    from cavitydesign.solvers.fdtd import Fdtd

    settings = fdtd or Fdtd()
    low, high = Ask.of(subject, **asked).window_nm
    asked |= {"window_nm": (low * (1.0 - SLACK), high * (1.0 + SLACK)), "device": None}
    found_fast = solve(subject, fast or Poles(), **asked)
    found_fdtd = solve(subject, settings, **asked)
    return compare(found_fast, found_fdtd, window_nm=(low, high), q_min=getattr(settings, "q_min", 0.0))


def compare(fast: Solution, fdtd: Solution, *, window_nm: Window, q_min: float) -> Verification:
    """Match two solutions whose search windows both reach a little beyond ``window_nm``."""
    ours, theirs = list(fast.modes), list(fdtd.modes)
    rows = partners(ours, theirs, price=_price)
    low, high = window_nm

    def inside(mode: Mode) -> bool:
        return low <= mode.wavelength_nm <= high

    both = [(mode, theirs[j]) for mode, j in zip(ours, rows, strict=True) if j >= 0]
    alone = [mode for mode, j in zip(ours, rows, strict=True) if j < 0 and inside(mode)]
    strangers = [mode for j, mode in enumerate(theirs) if j not in rows and inside(mode)]
    fading = [mode for mode in alone if 0.0 < mode.q < 1.5 * q_min]
    growing = [mode for mode in alone if mode.q < 0.0]
    ignored = [(mode, f"Q below {1.5 * q_min:g}: too short a ring-down for FDTD") for mode in fading]
    ignored += [(mode, "amplified: a ring-down does not decay") for mode in growing]
    rest = [mode for mode in alone if mode not in fading and mode not in growing]
    pairs = tuple(_pair(a, b) for a, b in both if inside(a) or inside(b))
    return Verification(pairs, tuple(rest), tuple(strangers), tuple(ignored), window_nm, fast, fdtd)


def _price(a: Mode, b: Mode) -> float:
    """Distance in wavelength and loss; infinite for two that cannot be one mode."""
    labels = a.symmetry == b.symmetry or not a.symmetry or not b.symmetry
    degeneracies = a.degeneracy == b.degeneracy or 0 in (a.degeneracy, b.degeneracy)
    apart = abs(a.wavelength_nm - b.wavelength_nm)
    reach = max(SLACK * a.wavelength_nm, _LOUD * _joint_nm(a, b))
    contrast, most = abs(_loss(a) - _loss(b)), max(_loss(a), _loss(b))
    if not labels or not degeneracies or apart >= reach or contrast >= 0.5 * most + 1e-5:
        return math.inf
    return apart / (SLACK * a.wavelength_nm) + contrast / (most + 1e-5)


def _loss(mode: Mode) -> float:
    return mode.loss if math.isfinite(mode.q) else 0.0


def _hypot(*errors: float) -> float:
    return math.hypot(*filter(math.isfinite, errors))


def _joint_nm(a: Mode, b: Mode) -> float:
    unknown = math.isnan(b.wavelength_err_nm)  # a single resolution knows no error bar of its own
    floor = (SLACK if unknown else _FLOOR_NM) * a.wavelength_nm
    return max(_hypot(a.wavelength_err_nm, b.wavelength_err_nm), floor)


def _pair(a: Mode, b: Mode) -> Pair:
    """Differences are FDTD minus fast. Joint error bars have floors of 0.05 % of λ and 3 % of Q (what FDTD is
    trusted to).
    """
    wavelength = b.wavelength_nm - a.wavelength_nm
    wavelength_err = _joint_nm(a, b)
    if math.isfinite(a.q) and math.isfinite(b.q):
        q, q_err = b.q - a.q, max(_hypot(a.q_err, b.q_err), _FLOOR_Q * abs(a.q))
        sigma_q = abs(q) / q_err
    else:  # one of them has no loss, or too little to be measured
        q, q_err, sigma_q = math.nan, math.nan, abs(_loss(a) - _loss(b)) / 2e-6
    return Pair(a, b, wavelength, wavelength_err, q, q_err, max(abs(wavelength) / wavelength_err, sigma_q))


def _plain(mode: Mode) -> dict[str, Any]:
    names = (
        "wavelength_nm",
        "q",
        "lossless",
        "symmetry",
        "degeneracy",
        "polarization",
        "wavelength_err_nm",
        "q_err",
    )
    return _of(mode, names)


def _of(item: Mode | Pair, names: Sequence[str]) -> dict[str, Any]:
    return json_ready({name: getattr(item, name) for name in names})
