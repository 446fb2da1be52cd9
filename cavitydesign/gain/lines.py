"""Lasing lines: what the coupler (:mod:`cavitydesign.gain.coupler`) says of each mode, as values."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cavitydesign.files import html_table, json_ready
from cavitydesign.gain.model import TRANSITIONS
from cavitydesign.gain.threshold import LineStatus
from cavitydesign.kinds import Array

if TYPE_CHECKING:
    from cavitydesign.solvers.solution import Mode

_DARK_NOTE = (
    "dark: next to nothing of this mode leaves to either side, so in an infinite array its threshold is a lower bound; "
    "solve the finite array for that of a device"
)
_MARKS = {
    LineStatus.GIVEN: "¶",
    LineStatus.UPPER_BOUND: "‖",
    LineStatus.NO_GAIN: "†",
    LineStatus.OUT_OF_BAND: "‡",
    LineStatus.UNKNOWN_LOSS: "§",
}


@dataclass(frozen=True, slots=True)
class Contribution:
    """How far one input's ``plus_minus`` moves a threshold: ⟨N⟩ and the pump level, in the line's unit."""

    input: str
    plus_minus: float
    pairs_err: float
    value_err: float


@dataclass(frozen=True, slots=True)
class Threshold:
    """Pump level at which a line lases, incident, in ``unit``, and ⟨N⟩ there; NaN where it does not lase.

    Of a line with the status UPPER_BOUND both are what is measured lowest: its threshold lies below.
    """

    value: float
    unit: str
    pairs_per_shell: float
    value_err: float
    pairs_err: float
    contributions: tuple[Contribution, ...]


@dataclass(frozen=True, slots=True)
class CavityContribution:
    """What one input of the cavity does to a line when it moves by its ``plus_minus``; NaN where it is not known."""

    input: str
    plus_minus: float
    wavelength_nm: float
    q_relative: float
    threshold: float


@dataclass(frozen=True, slots=True)
class InputErrors:
    """What the assumed inputs do to one line, one standard deviation each; NaN where it is not known.

    Attributes:
        wavelength_nm, q_relative, threshold_gain_relative: of the mode, from the inputs of the cavity.
        threshold: of the pump level, from the inputs of cavity and emitter, added in squares.
        threshold_of_cavity: the part of the cavity in it.
        contributions: of each input of the cavity.
        lost_if: inputs that, moved by their ``plus_minus``, keep the line from lasing.
        not_propagated: inputs that could not be moved.
    """

    wavelength_nm: float
    q_relative: float
    threshold_gain_relative: float
    threshold: float
    threshold_of_cavity: float
    contributions: tuple[CavityContribution, ...]
    lost_if: tuple[str, ...]
    not_propagated: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One lasing line. ``rank`` is None where its threshold is not known; see :class:`Lines` for the rest.

    ``dark`` is None where it is not known.
    """

    rank: int | None
    wavelength_nm: float
    transition: str
    threshold: Threshold
    required_gain_per_cm: float
    transparency_pairs: float
    emission_share: tuple[float, ...]
    dark: bool | None
    status: LineStatus
    lost_if: tuple[str, ...]
    mode: Mode
    input_errors: InputErrors | None = None

    @property
    def lases(self) -> bool:
        """Whether it has a threshold."""
        return self.status.has_threshold

    @property
    def at_most(self) -> str:
        """What stands before the numbers of the threshold: "≤ " where they are an upper bound."""
        bound = self.status is LineStatus.UPPER_BOUND and math.isfinite(self.threshold.value)
        return "≤ " if bound else ""

    @property
    def threshold_err(self) -> float:
        """Error of the threshold from all inputs that were propagated: cavity and emitter, or the emitter alone."""
        return self.threshold.value_err if self.input_errors is None else self.input_errors.threshold

    @property
    def marks(self) -> dict[str, str]:
        """What to know about the line, in words, by the mark that stands for it in a table."""
        found = {"*": _DARK_NOTE} if self.dark else {}
        if mark := _MARKS.get(self.status):
            found[mark] = self.status.value
        return found

    @property
    def note(self) -> str:
        """All that is to be known about the line; empty if there is nothing."""
        parts = list(self.marks.values())
        if self.lost_if:
            parts.append(f"would not lase if off by their plus_minus: {', '.join(self.lost_if)}")
        return "; ".join(parts)

    def record(self) -> dict[str, Any]:
        """As ``predict --json`` gives it; what is not known is None."""
        errors = {} if self.input_errors is None else {"input_errors": asdict(self.input_errors)}
        content = {
            "rank": self.rank,
            "wavelength_nm": self.wavelength_nm,
            "transition": self.transition or None,
            "threshold": asdict(self.threshold),
            "required_gain_per_cm": self.required_gain_per_cm,
            "transparency_pairs": self.transparency_pairs,
            "emission_share": dict(zip(TRANSITIONS, self.emission_share, strict=True)),
            "dark": self.dark,
            "status": self.status.name.lower(),
            "note": self.note,
            "mode": self.mode.record(),
            **errors,
        }
        return json_ready(content)


@dataclass(frozen=True, eq=False)
class Lines:
    """Lasing lines as columns, one entry per mode, ranked: lines with a threshold (dark ones behind), then the rest.

    Upper bounds are all the same lowest measured level: they stand in front, and have no rank.

    Attributes:
        wavelength_nm: of the mode.
        transition: X, XX or MX, whichever gives most of the stimulated emission at threshold (at transparency where
            there is no threshold; "" outside the gain band).
        value, value_err: pump level at threshold, incident, and its error.
        unit: of both: µJ/cm², mJ/cm² or kW/cm².
        pairs_per_shell, pairs_err: ⟨N⟩ at threshold, and its error.
        transparency_pairs: ⟨N⟩ at which the film stops absorbing there.
        required_gain_per_cm: material gain that the mode needs.
        emission_share: of X, XX, MX, shape (M, 3).
        dark: known to send next to no power to either half-space, by flux.
        status: how the number came about.
        contributions: largest first.
        lost_if: inputs that, moved by their ``plus_minus``, keep the mode from lasing at all; the errors do not
            contain that side.
        mode_index: row in the modes table.
        modes: the modes behind the lines.
        input_errors: what the inputs of the cavity do to each line; empty where that was not asked for.
    """

    wavelength_nm: Array
    transition: Array
    value: Array
    value_err: Array
    unit: str
    pairs_per_shell: Array
    pairs_err: Array
    transparency_pairs: Array
    required_gain_per_cm: Array
    emission_share: Array
    dark: Array
    status: tuple[LineStatus, ...]
    contributions: tuple[tuple[Contribution, ...], ...]
    lost_if: tuple[tuple[str, ...], ...]
    mode_index: Array
    modes: tuple[Mode, ...]
    input_errors: tuple[InputErrors, ...] = ()

    def __len__(self) -> int:
        return len(self.wavelength_nm)

    @property
    def lasing(self) -> Array:
        """Which lines have a threshold at all."""
        return np.array([status.has_threshold for status in self.status], dtype=bool)

    def __getitem__(self, row: int) -> Line:
        row = range(len(self))[row]
        status = self.status[row]
        pairs, value_err, pairs_err = (
            float(column[row]) for column in (self.pairs_per_shell, self.value_err, self.pairs_err)
        )
        return Line(
            rank=row + 1 if status.has_threshold and status is not LineStatus.UPPER_BOUND else None,
            wavelength_nm=float(self.wavelength_nm[row]),
            transition=str(self.transition[row]),
            threshold=Threshold(
                float(self.value[row]), self.unit, pairs, value_err, pairs_err, self.contributions[row]
            ),
            required_gain_per_cm=float(self.required_gain_per_cm[row]),
            transparency_pairs=float(self.transparency_pairs[row]),
            emission_share=tuple(map(float, self.emission_share[row])),
            dark=self.modes[row].dark,
            status=status,
            lost_if=self.lost_if[row],
            mode=self.modes[row],
            input_errors=self.input_errors[row] if self.input_errors else None,
        )

    def __iter__(self) -> Iterator[Line]:
        return (self[row] for row in range(len(self)))

    @property
    def first(self) -> Line | None:
        """The line of lowest threshold; None where nothing lases."""
        return self[0] if len(self) and self.status[0].has_threshold else None

    def _repr_html_(self) -> str:
        """A table for notebooks."""
        head = ("rank", "λ (nm)", "transition", f"threshold ({self.unit})", "⟨N⟩", "dark", "note")
        rows = [
            [
                str(line.rank or "-"), f"{line.wavelength_nm:.2f}", line.transition or "-",
                f"{line.at_most}{line.threshold.value:.4g}", f"{line.at_most}{line.threshold.pairs_per_shell:.3g}",
                {None: "?", True: "yes", False: "no"}[line.dark], line.note,
            ]
            for line in self
        ]  # fmt: skip
        return html_table(head, rows)
