"""The index of a table at every real wavelength, and its continuation to complex ones.

::

    Im E ┬ 0 ───●──●──●──●──●───   on the axis: the rows, and a curve through them that keeps their shape, P(E)
         │       \\ \\ | / /
         ┴       E = x + i y       off it: ε(E) = P(x)² + r(x + i y) - r(x), r a rational function of the rows

``r`` (:mod:`cavitydesign.optics.media.rational`) follows the rows to their precision where it can; what it leaves is a
function of Re E alone. All of this belongs to the table: no window enters. A wide table is cut at fixed energies into
cells, each with an ``r`` of its own, made when it is first asked for; cells are blended where they meet.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np

from cavitydesign import units
from cavitydesign.kinds import Array, Function, Window
from cavitydesign.optics.media.rational import DEEPEST, Rational, fit
from cavitydesign.optics.media.rows import Curve, half_digit, noise, parabola_slopes, resolved, shaped

_CELL_EV, _CELL_RATIO = 1.24, 2.5  # cells meet at 400, 1000, 2500 … nm
_BLEND = 1.08  # within this factor of where they meet
_AROUND = 1.6  # a cell's fit sees rows up to this factor outside it
_BEYOND = (
    1.1  # the continuation goes on to this factor past the ends of the table; its edge stands in further off
)
_CONTOUR = 1.15  # a contour around a window goes this factor beyond it
_LOOSE = 1e-4  # of n: what of its last digit the curve may leave
_FEW = 24  # rows, between which a fit is held
_FINEST = 1e-6  # of the index: a fit need not be better, since the curve on the axis is

Kind = Literal["nk", "n", "k"]


@dataclass(frozen=True, slots=True)
class _Cell:
    """The part of a table that one rational function continues.

    Attributes:
        rational, second: the function, and another that might be it.
        curve, other: cubics between rows with its slopes, and with those of parabolas.
        clear: for each interval between rows whether they show the curve of n, and of k, between them.
        left: what the function leaves of the curve's values at the rows.
    """

    rational: Rational
    second: Rational
    curve: Curve
    other: Curve
    clear: tuple[Array, Array]
    left: Array
    kind: Kind

    def axis(self, x: Array) -> Array:
        """n + i k at real energies within the rows: the function where they show the curve between, else a cubic."""
        return self._both(x)[0]

    def between(self, x: Array) -> Array:
        """``Δn + i Δk`` by the curves between rows; where these do not show a shape, it may be a straight line."""
        here, clear, cubic = self._both(x)
        other, chord = self.other(x), self.curve.chord(x)
        parts = []
        for part, seen in zip((np.real, np.imag), clear, strict=True):
            most = np.maximum(np.abs(part(here - other)), np.abs(part(here - chord)))
            parts.append(np.where(seen, np.abs(part(here - cubic)), most))
        return parts[0] + 1j * parts[1]

    def _both(self, x: Array) -> tuple[Array, tuple[Array, Array], Array]:
        cubic = self.curve(x)
        at = np.clip(np.searchsorted(self.curve.x, x, side="right") - 1, 0, len(self.curve.x) - 2)
        level = _level(self.rational(x), self.kind) - np.interp(x, self.curve.x, self.left)
        clear = self.clear[0][at], self.clear[1][at]
        n = np.where(clear[0], level.real, cubic.real)
        return n + 1j * np.where(clear[1], level.imag, cubic.imag), clear, cubic


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows that a cell's fit sees: energies, index and its precision; the energies at which what is fitted, and its
    own. Between few rows a curve that keeps their shape stands in, to within some of what changes from row to row.
    """

    x: Array
    index: Array
    spread: tuple[Array, Array]
    at: Array
    y: Array
    precision: Array
    used: Window
    real: bool


@dataclass(frozen=True)
class Continuation:
    """A contiguous table.

    Attributes:
        energy_ev: photon energies of the rows, rising.
        index: n + i k of the rows.
        kind: "nk", or "n" or "k" where the other is not in this table: then the index is real on the axis, times i
            for k.
    """

    energy_ev: Array
    index: Array
    kind: Kind
    _cells: dict[int, _Cell] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def passive(self) -> bool:
        """Whether no row amplifies; then nothing between them does."""
        return bool((self.index.imag >= 0.0).all())

    @classmethod
    def of(cls, wavelengths_nm: Array, index: Array, kind: Kind) -> Continuation:
        """From rows at rising wavelengths."""
        if kind == "nk" and not np.any(index.imag):
            kind = "n"
        return cls(units.nm_to_ev(wavelengths_nm[::-1]), np.asarray(index, dtype=complex)[::-1], kind)

    def n(self, wavelength_nm: Array) -> Array:
        """Complex index at complex wavelengths."""
        x, y, inside = self._placed(wavelength_nm)
        total, change = np.zeros(x.shape, dtype=complex), np.zeros(x.shape, dtype=complex)
        for number, weight in self._weights(x):
            cell = self._cell(number)
            total = total + weight * cell.axis(inside)
            if np.any(y) or np.any(x != inside):
                change = change + weight * (cell.rational(x + 1j * y) - cell.rational(inside))
        if self.passive:
            total = np.real(total) + 1j * np.maximum(np.imag(total), 0.0)
        return self._raised(total, change)

    def uncertainty(self, wavelength_nm: Array) -> Array:
        """``Δn + i Δk``: the rows' precision, two curves between rows, and two continuations off the axis.

        All that a table cannot say of itself, such as a wrong measurement, is not in it.
        """
        x, y, inside = self._placed(wavelength_nm)
        real, imaginary = self.precision
        rows = np.interp(inside, self.energy_ev, real), np.interp(inside, self.energy_ev, imaginary)
        between, off, n = 0.0j, 0.0j, self.n(wavelength_nm)
        for number, weight in self._weights(x):
            cell = self._cell(number)
            between = between + weight * cell.between(inside)
            one, two = (r(x + 1j * y) - r(inside) for r in (cell.rational, cell.second))
            off = off + weight * (one - two)
        if self.kind == "nk":
            off = off / (2.0 * n)
        off = 1j * off if self.kind == "k" else off
        parts = [
            np.sqrt(row**2 + part(between) ** 2 + part(off) ** 2)
            for row, part in zip(rows, (np.real, np.imag), strict=True)
        ]
        return parts[0] + 1j * parts[1]

    def alone(self, window_nm: Window) -> tuple[Function, Function]:
        """The rational function by itself, analytic, and its ``Δn + i Δk``, in which what it leaves of the rows is.

        It is that of the cell in which the middle of the window lies, but without absorption lines there, which no
        contour can enclose: these are smoothed. A passive table's is raised by a constant where it would amplify.
        """
        rational = self._smooth(window_nm)
        lift = 0.0
        if self.passive and self.kind != "n":
            fine = units.nm_to_ev(np.linspace(*window_nm, 257))
            values = rational(np.union1d(fine, self._within(fine[-1], fine[0])))
            lift = 1.01 * max(0.0, -float((values.imag if self.kind == "nk" else values.real).min()))

        def n(wavelength_nm: Array) -> Array:
            value = rational(units.nm_to_ev(np.asarray(wavelength_nm, dtype=complex)))
            if self.kind == "nk":
                return _root(value + 1j * lift)
            return value if self.kind == "n" else 1j * (value + lift)

        def uncertainty(wavelength_nm: Array) -> Array:
            real = units.ev_to_nm(self._placed(wavelength_nm)[2])
            left = n(real) - self.n(real)
            return self.uncertainty(wavelength_nm) + np.abs(np.real(left)) + 1j * np.abs(np.imag(left))

        return n, uncertainty

    def _smooth(self, window_nm: Window) -> Rational:
        number = _cell_of(units.nm_to_ev(math.sqrt(window_nm[0] * window_nm[1])))
        rational = self._cell(number).rational
        barred = units.nm_to_ev(window_nm[1]) / _CONTOUR, units.nm_to_ev(window_nm[0]) * _CONTOUR
        if not np.any((rational.lines.real > barred[0]) & (rational.lines.real < barred[1])):
            return rational
        rows = self._rows(number)
        return fit(rows.at, rows.y, rows.precision, used=rows.used, real=rows.real, barred=barred)

    def _within(self, low_ev: float, high_ev: float) -> Array:
        return self.energy_ev[(self.energy_ev >= low_ev) & (self.energy_ev <= high_ev)]

    @cached_property
    def precision(self) -> tuple[Array, Array]:
        """(Δn, Δk) of each row: half the last digit, or the noise where that is larger."""
        dn, dk = (
            np.maximum(half_digit(values), 2.0 * noise(self.energy_ev, values))
            for values in (self.index.real, self.index.imag)
        )
        return dn, dk

    def lines(self, low_ev: float, high_ev: float) -> list[complex]:
        """Complex photon energies of absorption lines: poles of ε that lie between two energies."""
        found: list[complex] = []
        for number, _ in self._weights(np.linspace(low_ev, high_ev, 64)):
            lower, upper = _edges(number)
            found += [complex(p) for p in self._cell(number).rational.lines if lower <= p.real < upper]
        return [pole for pole in found if low_ev <= pole.real <= high_ev]

    def _placed(self, wavelength_nm: Array) -> tuple[Array, Array, Array]:
        """Re E and Im E, brought to where the continuation goes, and Re E within the rows."""
        energy = units.nm_to_ev(np.asarray(wavelength_nm, dtype=complex))
        first, last = self.energy_ev[0], self.energy_ev[-1]
        x = np.clip(energy.real, first / _BEYOND, last * _BEYOND)
        y = np.clip(energy.imag, -DEEPEST * x, DEEPEST * x)
        return x, y, np.clip(x, first, last)

    def _raised(self, curve: Array, change: Array) -> Array:
        if self.kind == "n":
            return curve + change
        if self.kind == "k":
            return 1j * (curve.imag + change)
        return _root(curve**2 + change)

    def _weights(self, x: Array) -> list[tuple[int, Array]]:
        """The cells that hold these energies, and how much each counts there."""
        x = np.asarray(x)
        numbers = range(_cell_of(float(x.min()) / _BLEND), _cell_of(float(x.max()) * _BLEND) + 1)
        if len(numbers) == 1:
            return [(numbers[0], np.ones(x.shape))]
        found = []
        for number in numbers:
            lower, upper = _edges(number)
            weight = _rise(x / lower) * (1.0 - _rise(x / upper))
            if number == numbers[0]:
                weight = 1.0 - _rise(x / upper)
            elif number == numbers[-1]:
                weight = _rise(x / lower)
            if np.any(weight):
                found.append((number, weight))
        return found

    def _cell(self, number: int) -> _Cell:
        if number not in self._cells:
            self._cells[number] = self._made(number)
        return self._cells[number]

    def _made(self, number: int) -> _Cell:
        rows = self._rows(number)
        rational = fit(rows.at, rows.y, rows.precision, used=rows.used, real=rows.real)
        jittered = rows.y + rows.precision * _jitter(len(rows.at), real=rows.real)
        slack = 3.0 if rational.slack == 1.0 else rational.slack / 3.0
        second = fit(rows.at, jittered, rows.precision, used=rows.used, real=rows.real, slacks=(slack,))
        curve, other = _curves(rows.x, rows.index, rows.spread, rational, self.kind)
        left = _level(rational(rows.x), self.kind) - curve.value
        middle = 0.5 * (rows.x[1:] + rows.x[:-1])
        off = _level(rational(middle), self.kind) - 0.5 * (left[1:] + left[:-1]) - curve(middle)
        clear = []
        for part in (np.real, np.imag):
            values = part(curve.value)
            bend = np.zeros(len(values))
            bend[1:-1] = np.abs(np.diff(values, 2))
            near = np.abs(part(off)) <= 0.1 * np.maximum(bend[1:], bend[:-1])
            clear.append(resolved(rows.x, values) & near)
        return _Cell(rational, second, curve, other, (clear[0], clear[1]), left, self.kind)

    def _rows(self, number: int) -> _Rows:
        first, last = self.energy_ev[0], self.energy_ev[-1]
        lower, upper = _edges(number)
        used = max(lower / _BLEND, first / _BEYOND), min(upper * _BLEND, last * _BEYOND)
        start = int(np.searchsorted(self.energy_ev, used[0] / _AROUND)) - 3
        part = slice(max(start, 0), int(np.searchsorted(self.energy_ev, used[1] * _AROUND)) + 3)
        x, index = self.energy_ev[part], self.index[part]
        dn, dk = (item[part] for item in self.precision)
        at, value = x, index
        within = {"nk": np.hypot(dn, dk) / math.sqrt(2.0), "n": dn, "k": dk}[self.kind]
        if len(x) <= _FEW:
            at, value, within = _between(x, index, within)
        if self.kind == "nk":
            size, y = np.abs(value), value**2
            precision = 3.0 * size * np.maximum(within, _FINEST * size)
        else:
            y = np.real(value) if self.kind == "n" else np.imag(value)
            precision = 1.5 * np.maximum(within, _FINEST * np.abs(y).max())
        return _Rows(x, index, (dn, dk), at, y + 0.0, precision, used, self.kind != "nk")


def _between(x: Array, index: Array, within: Array) -> tuple[Array, Array, Array]:
    """Rows and the middles between them: energies, index, and how well each is known."""
    n, k = (shaped(x, part(index), parabola_slopes(x, part(index))) for part in (np.real, np.imag))
    curve, middle = Curve(x, index, n + 1j * k), 0.5 * (x[1:] + x[:-1])
    value = curve(middle)
    open_to = np.maximum(np.abs(value - curve.chord(middle)), 0.05 * np.abs(np.diff(index)))
    open_to = np.maximum(open_to, np.maximum(within[1:], within[:-1]))
    order = np.argsort(np.concatenate([x, middle]), kind="stable")
    pairs = ((x, middle), (index, value), (within, open_to))
    at, values, known = (np.concatenate(pair)[order] for pair in pairs)
    return at, values, known


def _root(eps: Array) -> Array:
    """The root that goes on past the negative real axis, where metals lie and the principal one changes its sign."""
    root: Array = np.sqrt(eps)
    return np.where((root.imag < 0.0) & (-root.imag > root.real), -root, root)


def _level(value: Array, kind: Kind) -> Array:
    """n + i k from what a rational function stands for: ε, n or k."""
    if kind == "nk":
        return _root(value)
    return value.real + 0j if kind == "n" else 1j * value.real


def _curves(
    x: Array, index: Array, precision: tuple[Array, Array], rational: Rational, kind: Kind
) -> tuple[Curve, Curve]:
    """Two curves through the rows: one with the slopes of the rational function, one with those of parabolas.

    They follow the rows of k, which makes a Q, exactly; and those of n, but where the function lies within their noise
    or their last digit (and 1e-4): there they are the function, whose slope has none of the rows' zigzag.
    """
    level, slope = _level(rational(x), kind), rational.derivative(x)
    if kind == "nk":
        slope = slope / (2.0 * level)
    elif kind == "k":
        slope = 1j * slope.real
    parts = []
    noisy = precision[0] > 3.0 * half_digit(index.real)  # more than rounding
    noisy = np.where(noisy, precision[0], np.minimum(precision[0], _LOOSE))
    for part, spread in ((np.real, noisy), (np.imag, 0.0)):
        rows = part(index)
        value = np.clip(part(level), rows - spread, rows + spread)
        steep = part(slope) + parabola_slopes(x, value - part(level))
        parts.append((value, shaped(x, value, steep), shaped(x, value, parabola_slopes(x, value))))
    (n, n_slope, n_other), (k, k_slope, k_other) = parts
    value = n + 1j * k
    return Curve(x, value, n_slope + 1j * k_slope), Curve(x, value, n_other + 1j * k_other)


def _jitter(count: int, *, real: bool) -> Array:
    """Numbers of size one that no rational function of low degree follows: what rounding might have done."""
    turns: Array = np.exp(2j * math.pi * 0.381966 * np.arange(count) ** 2)
    return turns.real if real else turns


def _cell_of(energy_ev: float) -> int:
    return math.floor(math.log(energy_ev / _CELL_EV) / math.log(_CELL_RATIO))


def _edges(number: int) -> tuple[float, float]:
    return _CELL_EV * _CELL_RATIO**number, _CELL_EV * _CELL_RATIO ** (number + 1)


def _rise(ratio: Array) -> Array:
    """0 below 1/_BLEND, 1 above _BLEND, smooth between."""
    t = np.clip(0.5 + 0.5 * np.log(ratio) / math.log(_BLEND), 0.0, 1.0)
    return t**3 * (10.0 - 15.0 * t + 6.0 * t**2)
