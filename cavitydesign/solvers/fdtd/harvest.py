"""From ring-down fits to modes: what counts, what is rejected and why, and the limit of infinite resolution.

A mode of one run is a frequency on which several probe channels agree, found again in other parts of the ring-down,
with a decay that is positive or too slow to measure. Runs at the two grid offsets are averaged, resolutions
extrapolated as ``f(h) = f(0) + a h²`` with the pixel h, frequency and decay apart. The decay Im f is kept rather
than Q = -Re f / 2 Im f, because a dark mode's is zero and zero can be averaged.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cavitydesign.solvers.fdtd.fitting import consensus

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


@dataclass(frozen=True, slots=True)
class Rejected:
    """A fit that is no mode, and the reason."""

    where: str
    wavelength_nm: float
    q: float
    reason: str


def lines_of_run(
    result: dict[str, Any], group: str, *, where: str, q_min: float
) -> tuple[list[Line], list[Rejected]]:
    """Modes of one run in one fit group, and what was rejected."""
    names = [channel["name"] for channel in result["channels"] if channel["group"] == group]
    per_window = [
        consensus([fit for fit in window["fits"] if fit["group"] == group]) for window in result["windows"]
    ]
    if not per_window or not per_window[0]:
        return [], []
    siblings = [
        mode
        for other in {channel["group"] for channel in result["channels"]} - {group}
        for mode in consensus([fit for fit in result["windows"][0]["fits"] if fit["group"] == other])
    ]
    top = max(mode["amplitude"] for mode in per_window[0])
    lines, rejected = [], []
    for mode in per_window[0]:
        reason, echo = _verdict(mode, per_window[1:], siblings, channels=len(names), top=top, q_min=q_min)
        if reason:
            if mode["amplitude"] > _SMALLEST * top and len(mode["channels"]) > 1:
                q = -mode["frequency"] / (2.0 * mode["decay"]) if mode["decay"] else math.inf
                rejected.append(Rejected(where, 1000.0 / mode["frequency"], q, reason))
            continue
        lines.append(_line(mode, echo))
    return _without_doubles(lines, rejected, where), rejected


def _verdict(
    mode: dict[str, Any], windows: list[Any], siblings: list[Any], *, channels: int, top: float, q_min: float
) -> tuple[str, list[dict[str, Any]]]:
    """Why a fit is no mode ("" when it is one), and its echoes in the other windows."""
    needed = max(1, min(channels, max(2, math.ceil(_LEAST_CHANNELS * channels))))
    echo = []
    for window in windows:
        near = [
            m
            for m in window
            if abs(m["frequency"] - mode["frequency"]) < _AGREE * mode["frequency"] + 0.2 * abs(mode["decay"])
        ]
        if near:
            echo.append(max(near, key=lambda m: m["amplitude"]))
    slow = 1e-6 * mode["frequency"]
    q = -mode["frequency"] / (2.0 * mode["decay"]) if mode["decay"] else math.inf
    alike = [m for m in echo if abs(m["decay"] - mode["decay"]) < 0.15 * abs(mode["decay"]) + slow]
    if mode["amplitude"] < _SMALLEST * top:
        return "weaker than 1e-4 of the strongest mode of its class: noise", echo
    if len(mode["channels"]) < needed:
        return f"seen by {len(mode['channels'])} of {channels} probe channels, {needed} needed", echo
    if windows and len(alike) < 1:
        return "other parts of the ring-down do not repeat it", echo
    if mode["decay"] > _LEAKY_PML * mode["frequency"]:
        return "grows in time: no passive mode does", echo
    if 0.0 < q < q_min:
        return f"decays faster than q_min = {q_min:g}", echo
    for other in siblings:
        same = abs(other["frequency"] - mode["frequency"]) < 1e-4 * mode["frequency"] + 0.05 * abs(
            other["decay"]
        )
        if same and other["amplitude"] > 50.0 * mode["amplitude"]:
            return "leaks from the other label of its mirror class, where it is 50 times stronger", echo
    return "", alike


def _line(mode: dict[str, Any], echo: list[dict[str, Any]]) -> Line:
    others = [m for m in echo if len(m["channels"]) > 1] or echo
    frequency_err = max(
        [abs(m["frequency"] - mode["frequency"]) for m in others[:2]] + [mode["frequency_spread"]]
    )
    decay_err = max([abs(m["decay"] - mode["decay"]) for m in others[:2]] + [mode["decay_spread"]])
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
            q = 1.0 / line.inverse_q if line.inverse_q else math.inf
            rejected.append(
                Rejected(where, 1000.0 / line.frequency, q, "double of a stronger fit with the same pattern")
            )
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

    Dynamic programming over both sorted lists; leaving a line unmatched costs as much as the largest allowed misfit, so
    neighbours that exchange places under refinement are told apart by their patterns.
    """
    rows, columns = len(first), len(second)
    skip = 0.6
    price = np.full((rows, columns), np.inf)
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            shift = abs(math.log(b.frequency / a.frequency)) / largest_shift
            if shift < 1.0:
                price[i, j] = 0.5 * shift + (1.0 - overlap(a, b))
    best = np.zeros((rows + 1, columns + 1))
    step = np.zeros((rows + 1, columns + 1), dtype=int)
    best[1:, 0], step[1:, 0] = skip * np.arange(1, rows + 1), 1
    best[0, 1:], step[0, 1:] = skip * np.arange(1, columns + 1), 2
    for i in range(1, rows + 1):
        for j in range(1, columns + 1):
            options = (best[i - 1, j - 1] + price[i - 1, j - 1], best[i - 1, j] + skip, best[i, j - 1] + skip)
            step[i, j] = int(np.argmin(options))
            best[i, j] = options[step[i, j]]
    pairs, i, j = [], rows, columns
    while i > 0 and j > 0:
        if step[i, j] == 0:
            pairs.append((i - 1, j - 1))
            i, j = i - 1, j - 1
        elif step[i, j] == 1:
            i -= 1
        else:
            j -= 1
    return pairs[::-1]


def mean_over_offsets(runs: Sequence[Sequence[Line]], *, where: str) -> tuple[list[Line], list[Rejected]]:
    """Mean of the lines that every offset shows; half their distance is the error bar."""
    kept = list(runs[0])
    rejected: list[Rejected] = []
    for run in runs[1:]:
        pairs = match(kept, run, largest_shift=0.006)
        lost = [kept[i] for i in range(len(kept)) if i not in {p[0] for p in pairs}]
        lost += [run[j] for j in range(len(run)) if j not in {p[1] for p in pairs}]
        rejected += [_lost(line, where, "another position on the grid does not show it") for line in lost]
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


def _lost(line: Line, where: str, reason: str) -> Rejected:
    return Rejected(
        where, 1000.0 / line.frequency, 1.0 / line.inverse_q if line.inverse_q else math.inf, reason
    )


def extrapolate(
    runs: Sequence[Sequence[Line]], resolutions: Sequence[float], *, where: str
) -> tuple[list[Line], list[Rejected]]:
    """Lines at infinite resolution from runs sorted coarse to fine; a line that the finest two do not share is
    rejected.

    Two resolutions: the line through both. More: least squares in h². The error bar is the larger of the residual
    and a fifth of the way from the finest run to the limit (known unit cells came out within a twentieth of it),
    and the noise of the fits.
    """
    if len(runs) == 1:
        return [Line(x.frequency, x.decay, math.nan, math.nan, x.amplitudes, x.strength) for x in runs[0]], []
    chains: list[list[tuple[int, Line]]] = [[(len(runs) - 1, line)] for line in runs[-1]]
    rejected: list[Rejected] = []
    for level in range(len(runs) - 2, -1, -1):
        tips = sorted((c for c in chains if c[-1][0] == level + 1), key=lambda c: c[-1][1].frequency)
        pairs = match([c[-1][1] for c in tips], runs[level])
        for i, j in pairs:
            tips[i].append((level, runs[level][j]))
        used = {j for _, j in pairs}
        rejected += [
            _lost(line, f"{where} at {resolutions[level]:.4g}/um", "absent at the finer resolution")
            for j, line in enumerate(runs[level])
            if j not in used
        ]
    out = []
    for chain in chains:
        if len(chain) < 2:
            rejected.append(
                _lost(chain[0][1], f"{where} at {resolutions[-1]:.4g}/um", "absent at the coarser resolution")
            )
            continue
        out.append(_limit(chain, resolutions))
    return sorted(out, key=lambda line: line.frequency), rejected


def _limit(chain: list[tuple[int, Line]], resolutions: Sequence[float]) -> Line:
    h2 = np.array([1.0 / resolutions[level] ** 2 for level, _ in chain])
    finest = chain[0][1]
    limits, errors = [], []
    for name in ("frequency", "decay"):
        values = np.array([getattr(line, name) for _, line in chain])
        noise = np.array([getattr(line, name + "_err") for _, line in chain])
        basis = np.stack([np.ones_like(h2), h2], axis=1)
        inverse = np.linalg.pinv(basis)
        limit = float((inverse @ values)[0])
        residual = float(np.max(np.abs(basis @ (inverse @ values) - values))) if len(chain) > 2 else 0.0
        propagated = float(np.linalg.norm(inverse[0] * noise))
        limits.append(limit)
        errors.append(math.hypot(max(_TRUST * abs(limit - values[0]), residual), propagated))
    return Line(limits[0], limits[1], errors[0], errors[1], finest.amplitudes, finest.strength)
