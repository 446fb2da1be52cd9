"""From ring-down fits to modes: what counts, what is rejected and why, and the limit of infinite resolution.

A mode of one run is a frequency on which several probe channels agree, found again in other parts of the ring-down,
with a decay that is positive or too slow to measure. Runs at the two grid offsets are averaged, resolutions
extrapolated as ``f(h) = f(0) + a h²`` with the pixel h, frequency and decay apart. The decay Im f is kept rather
than Q = -Re f / 2 Im f, because a dark mode's is zero and zero can be averaged.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from cavitydesign.solvers.fdtd.fitting import consensus
from cavitydesign.solvers.fdtd.materials import UNIT_NM
from cavitydesign.solvers.solution import Rejected

_LEAST_CHANNELS = 0.3
_SMALLEST = 1e-4
_AGREE = 3e-4
_SHIFT = 0.02
_TRUST = 0.2
# a dark mode's tail that reaches through the PML to its other side may gain as well as lose: |Q| > 16 000
_LEAKY_PML = 3e-5


@dataclass(frozen=True, slots=True)
class Line:
    """One mode of one run, or of several after they were joined. Frequencies in 1/µm; decay < 0."""

    frequency: float
    decay: float
    frequency_err: float
    decay_err: float
    amplitudes: dict[str, complex] = field(repr=False, default_factory=dict)
    strength: float = 0.0

    @property
    def inverse_q(self) -> float:
        """1/Q = -2 Im f / Re f."""
        return -2.0 * self.decay / self.frequency

    @property
    def q(self) -> float:
        """-Re f / (2 Im f); inf without decay."""
        return 1.0 / self.inverse_q if self.decay else math.inf

    @property
    def wavelength_nm(self) -> float:
        """Vacuum wavelength."""
        return UNIT_NM / self.frequency

    def rejected(self, where: str, reason: str) -> Rejected:
        """The line as one that is no mode."""
        return Rejected(where, self.wavelength_nm, self.q, reason)


def lines_of_run(
    result: dict[str, Any], group: str, *, where: str, q_min: float
) -> tuple[list[Line], list[Rejected]]:
    """Modes of one run in one fit group, and what was rejected."""
    windows, groups = result["windows"], [channel["group"] for channel in result["channels"]]

    def modes(window: dict[str, Any], name: str) -> list[dict[str, Any]]:
        return consensus([fit for fit in window["fits"] if fit["group"] == name])

    whole, *others = [modes(window, group) for window in windows] or [[]]
    siblings = [
        mode for other in set(groups) - {group} for window in windows[:1] for mode in modes(window, other)
    ]
    top = max((mode["amplitude"] for mode in whole), default=0.0)
    lines, rejected = [], []
    for mode in whole:
        reason, echo = _verdict(mode, others, siblings, channels=groups.count(group), top=top, q_min=q_min)
        line = _line(mode, echo)
        if not reason:
            lines.append(line)
        elif mode["amplitude"] > _SMALLEST * top and len(mode["channels"]) > 1:
            rejected.append(line.rejected(where, reason))
    return _without_doubles(lines, rejected, where), rejected


def _verdict(
    mode: dict[str, Any], windows: list[Any], siblings: list[Any], *, channels: int, top: float, q_min: float
) -> tuple[str, list[dict[str, Any]]]:
    """Why a fit is no mode ("" when it is one), and its echoes in the other windows."""
    needed = max(1, min(channels, max(2, math.ceil(_LEAST_CHANNELS * channels))))
    frequency, decay = mode["frequency"], mode["decay"]
    echo = []
    for window in windows:
        near = [m for m in window if abs(m["frequency"] - frequency) < _AGREE * frequency + 0.2 * abs(decay)]
        if near:
            echo.append(max(near, key=lambda m: m["amplitude"]))
    alike = [m for m in echo if abs(m["decay"] - decay) < 0.15 * abs(decay) + 1e-6 * frequency]
    if mode["amplitude"] < _SMALLEST * top:
        return "weaker than 1e-4 of the strongest mode of its class: noise", echo
    if len(mode["channels"]) < needed:
        return f"seen by {len(mode['channels'])} of {channels} probe channels, {needed} needed", echo
    if windows and not alike:
        return "other parts of the ring-down do not repeat it", echo
    if decay > _LEAKY_PML * frequency:
        return "grows in time: no passive mode does", echo
    if decay and 0.0 < -frequency / (2.0 * decay) < q_min:
        return f"decays faster than q_min = {q_min:g}", echo
    for other in siblings:
        same = abs(other["frequency"] - frequency) < 1e-4 * frequency + 0.05 * abs(other["decay"])
        if same and other["amplitude"] > 50.0 * mode["amplitude"]:
            return "leaks from the other label of its mirror class, where it is 50 times stronger", echo
    return "", alike


def _line(mode: dict[str, Any], echo: list[dict[str, Any]]) -> Line:
    others = [m for m in echo if len(m["channels"]) > 1] or echo
    frequency_err, decay_err = (
        max([abs(m[name] - mode[name]) for m in others[:2]] + [mode[name + "_spread"]])
        for name in ("frequency", "decay")
    )
    amplitudes = {fit["channel"]: fit["amplitude"] * np.exp(1j * fit["phase"]) for fit in mode["fits"]}
    return Line(mode["frequency"], mode["decay"], frequency_err, decay_err, amplitudes, mode["amplitude"])


def _without_doubles(lines: list[Line], rejected: list[Rejected], where: str) -> list[Line]:
    """Two lines closer than their own widths and error bars, with the same pattern of amplitudes, are one."""
    kept: list[Line] = []
    for line in sorted(lines, key=lambda item: -item.strength):
        twin = next(
            (k for k in kept if abs(k.frequency - line.frequency) < 0.3 * abs(k.decay) + 1e-4 * k.frequency),
            None,
        )
        if twin is not None and overlap(twin, line) > 0.7:
            rejected.append(line.rejected(where, "double of a stronger fit with the same pattern"))
            continue
        kept.append(line)
    return sorted(kept, key=lambda item: item.frequency)


def overlap(a: Line, b: Line) -> float:
    """|⟨a|b⟩| of the normalised probe amplitudes: 1 for the same field pattern."""
    names = sorted(set(a.amplitudes) | set(b.amplitudes))
    if not names:
        return 1.0
    u = np.array([a.amplitudes.get(name, 0.0) for name in names])
    v = np.array([b.amplitudes.get(name, 0.0) for name in names])
    norm = float(np.linalg.norm(u) * np.linalg.norm(v))
    return float(abs(np.vdot(u, v))) / norm if norm else 0.0


def match(
    first: Sequence[Line], second: Sequence[Line], *, largest_shift: float = _SHIFT
) -> list[tuple[int, int]]:
    """Pairs of lines of two runs, in order of frequency, that minimise shift plus misfit of pattern.

    A line left alone costs 0.6, nearly as much as the largest allowed misfit, so neighbours that exchange places under
    refinement are told apart by their patterns.
    """
    from scipy.optimize import linear_sum_assignment

    gain = np.zeros((len(first), len(second)))  # over leaving both alone
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            shift = abs(math.log(b.frequency / a.frequency)) / largest_shift
            if shift < 1.0:
                gain[i, j] = max(0.0, 1.2 - 0.5 * shift - (1.0 - overlap(a, b)))
    pairs = zip(*linear_sum_assignment(gain, maximize=True), strict=True)
    return [(int(i), int(j)) for i, j in pairs if gain[i, j] > 0.0]


def mean_over_offsets(runs: Sequence[Sequence[Line]], *, where: str) -> tuple[list[Line], list[Rejected]]:
    """Mean of the lines that every offset shows; half their distance is the error bar."""
    kept = list(runs[0])
    rejected: list[Rejected] = []
    for run in runs[1:]:
        pairs = match(kept, run, largest_shift=0.006)
        lost = [line for i, line in enumerate(kept) if i not in {i for i, _ in pairs}]
        lost += [line for j, line in enumerate(run) if j not in {j for _, j in pairs}]
        rejected += [line.rejected(where, "another position on the grid does not show it") for line in lost]
        kept = [_joined(kept[i], run[j]) for i, j in pairs]
    return kept, rejected


def _joined(a: Line, b: Line) -> Line:
    return Line(
        0.5 * (a.frequency + b.frequency),
        0.5 * (a.decay + b.decay),
        max(a.frequency_err, b.frequency_err, 0.25 * abs(a.frequency - b.frequency)),
        max(a.decay_err, b.decay_err, 0.25 * abs(a.decay - b.decay)),
        a.amplitudes,
        max(a.strength, b.strength),
    )


def extrapolate(
    runs: Sequence[Sequence[Line]], resolutions: Sequence[float], *, where: str
) -> tuple[list[Line], list[Rejected]]:
    """Lines at infinite resolution from runs sorted coarse to fine; one that the finest two do not share is rejected.

    Two resolutions: the line through both. More: least squares in h². The error bar is the larger of the residual
    and a fifth of the way from the finest run to the limit (known unit cells came out within a twentieth of it),
    and the noise of the fits.
    """
    if len(runs) == 1:
        return [replace(line, frequency_err=math.nan, decay_err=math.nan) for line in runs[0]], []
    chains: list[list[tuple[int, Line]]] = [[(len(runs) - 1, line)] for line in runs[-1]]
    rejected: list[Rejected] = []
    for level in range(len(runs) - 2, -1, -1):
        tips = sorted((c for c in chains if c[-1][0] == level + 1), key=lambda c: c[-1][1].frequency)
        pairs = match([c[-1][1] for c in tips], runs[level])
        for i, j in pairs:
            tips[i].append((level, runs[level][j]))
        used = {j for _, j in pairs}
        at = f"{where} at {resolutions[level]:.4g}/um"
        rejected += [
            line.rejected(at, "absent at the finer resolution")
            for j, line in enumerate(runs[level])
            if j not in used
        ]
    at = f"{where} at {resolutions[-1]:.4g}/um"
    rejected += [c[0][1].rejected(at, "absent at the coarser resolution") for c in chains if len(c) < 2]
    out = [_limit(chain, resolutions) for chain in chains if len(chain) > 1]
    return sorted(out, key=lambda line: line.frequency), rejected


def _limit(chain: list[tuple[int, Line]], resolutions: Sequence[float]) -> Line:
    h2 = np.array([1.0 / resolutions[level] ** 2 for level, _ in chain])
    basis = np.stack([np.ones_like(h2), h2], axis=1)
    inverse = np.linalg.pinv(basis)
    limits: dict[str, float] = {}
    for name in ("frequency", "decay"):
        values = np.array([getattr(line, name) for _, line in chain])
        noise = np.array([getattr(line, name + "_err") for _, line in chain])
        fitted = inverse @ values
        residual = float(np.max(np.abs(basis @ fitted - values))) if len(chain) > 2 else 0.0
        largest = max(_TRUST * abs(float(fitted[0]) - values[0]), residual)
        limits[name] = float(fitted[0])
        limits[name + "_err"] = math.hypot(largest, float(np.linalg.norm(inverse[0] * noise)))
    return replace(chain[0][1], **limits)
