"""Materials as complex indices at complex wavelengths.

A resonance lives at a complex frequency, so an index is needed off the real axis. Closed forms (constant, Sellmeier,
Cauchy and the nine formulas of refractiveindex.info) are evaluated there as they stand. Tables are followed row by row
and continued by a function that belongs to the table, never to the window (:mod:`cavitydesign.optics.media.table`).
Nothing is extrapolated: a window that sticks out of a material's range, or touches a gap of its table, is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Any, cast

import numpy as np

from cavitydesign import units
from cavitydesign.errors import InputError
from cavitydesign.geometry.material import Cauchy, Constant, Film, Library, Material, Sellmeier, Table
from cavitydesign.kinds import Array, Function, Window
from cavitydesign.optics.media.library import dispersion_formula, read_entry
from cavitydesign.optics.media.rows import pieces
from cavitydesign.optics.media.table import Continuation, Kind

_TOLD = 0.01  # misfit of an index that a user should know of
_EDGE = 1e-9  # relative; a window that ends on the last row of a table is inside it


def _exact(wavelength_nm: Array) -> Array:
    return np.zeros(np.shape(wavelength_nm), dtype=complex)


def _no_lines(_low_nm: float, _high_nm: float) -> list[complex]:
    return []


@dataclass(frozen=True, slots=True)
class Dispersion:
    """A complex index as a function of complex vacuum wavelength.

    Attributes:
        n: ``n(wavelength_nm)``, complex array in, complex array of the same shape out.
        range_nm: where the data are valid, on the real axis.
        source: what the numbers are, for provenance.
        constant: the index itself where it does not disperse, else None.
        uncertainty: ``Δn + i Δk`` at complex wavelengths, both ≥ 0: how far a table leaves its index open by the
            precision of its rows, between them, and off the real axis. 0 for closed forms.
        lines: complex k0 (1/nm) of the absorption lines, poles of ε, with wavelengths between two in nm.
        note: what a user should know of it, in words; "" for nothing.
        alone: for a table, by a window, its rational continuation alone: analytic, with what it leaves of the rows in
            its uncertainty, and without lines. None where ``n`` is analytic itself.
    """

    n: Function
    range_nm: Window
    source: str
    constant: complex | None = None
    uncertainty: Function = _exact
    lines: Callable[[float, float], list[complex]] = _no_lines
    note: str = ""
    alone: Callable[[Window], Dispersion] | None = None

    def eps(self, k0: Array) -> Array:
        """Relative permittivity at complex vacuum wavenumber ``k0`` (1/nm)."""
        k0 = np.asarray(k0, dtype=complex)
        return self.n(units.complex_wavelength_nm(k0)) ** 2


def resolve(material: Material, window_nm: Window, *, analytic: bool = False) -> Dispersion:
    """The index of ``material`` for use in ``window_nm`` = (shortest, longest) and the complex plane around it.

    The window decides only whether the material has an index there, and which contiguous part of a table is meant.
    ``analytic`` asks for a function that contour integrals can take: of a table the rational continuation alone, which
    follows the rows as well as it can (its ``uncertainty`` tells); otherwise it follows them exactly on the real axis.

    Raises:
        InputError: where the window leaves the material's range or touches a gap of its table, or where the material
            has no index in it: a formula that is not finite there, or whose real part is not positive.
    """
    low, high = window_nm
    return _resolved(cast("Any", material), (float(low), float(high)), analytic)


@lru_cache(maxsize=512)
def _resolved(material: Any, window_nm: Window, analytic: bool) -> Dispersion:
    found = _dispersion(material, window_nm, analytic)
    _inside(window_nm, found.range_nm, found.source)
    with np.errstate(all="ignore"):
        sampled = found.n(np.linspace(*window_nm, 65))
    if not (np.isfinite(sampled).all() and (np.real(sampled) > 0.0).all()):
        worst = sampled[np.argmin(np.where(np.isfinite(sampled), np.real(sampled), -np.inf))]
        rule = f"must be a finite index with a positive real part at {window_nm[0]:g}-{window_nm[1]:g} nm"
        raise InputError(f"{rule}; {found.source} is not", key="material", value=complex(worst))
    return found


def _dispersion(material: Material, window_nm: Window, analytic: bool) -> Dispersion:
    match material:
        case Constant():
            value = complex(material.n, material.k)
            return Dispersion(lambda w: np.full(np.shape(w), value), (0.0, np.inf), f"n = {value:.6g}", value)
        case Sellmeier():
            terms = material.sellmeier
            coefficients = [item for pair in zip(terms.b, terms.c_um2, strict=True) for item in pair]
            n = dispersion_formula(2, [terms.a - 1.0, *coefficients])
            return Dispersion(n, terms.range_nm or (0.0, np.inf), "Sellmeier")
        case Cauchy():
            c = material.cauchy
            n = dispersion_formula(5, [c.a, c.b_um2, -2.0, c.c_um4, -4.0])
            return Dispersion(lambda w: n(w) + 1j * c.k, c.range_nm or (0.0, np.inf), "Cauchy")
        case Table() | Library():
            return _with_unknown_k(_parts(cast("Any", material)), window_nm, analytic)
        case Film():
            return _effective_film(material, window_nm, analytic)


def _inside(window_nm: Window, range_nm: Window, source: str) -> None:
    if not _covers(range_nm, window_nm):
        raise InputError(
            f"the wavelengths {window_nm[0]:g}-{window_nm[1]:g} nm leave the range "
            f"{range_nm[0]:g}-{range_nm[1]:g} nm of this material; narrow the window or choose another entry",
            key="material",
            value=source,
        )


def _covers(range_nm: Window, window_nm: Window) -> bool:
    return range_nm[0] * (1.0 - _EDGE) <= window_nm[0] and window_nm[1] <= range_nm[1] * (1.0 + _EDGE)


# -- tables --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Parts:
    """A material's n and k as they are given: together or apart, each in contiguous parts.

    Attributes:
        n: the parts that give n, and k where both come in the same rows.
        k: the parts of a k that has rows of its own.
    """

    source: str
    n: tuple[Dispersion, ...]
    k: tuple[Dispersion, ...]


@lru_cache(maxsize=64)
def _parts(material: Any) -> _Parts:
    """Everything about a table that no window can change, made once."""
    if isinstance(material, Library):
        entry = read_entry(material.library)
        source, rows = entry.source, entry.rows
        formula = [Dispersion(entry.formula[0], entry.formula[1], source)] if entry.formula else []
    else:
        wavelengths, n = np.array(material.wavelengths_nm), np.array(material.n)
        source, formula, rows = material.table, [], {"nk": (wavelengths, n)}
        if material.k_wavelengths_nm is None:
            rows = {"nk": (wavelengths, n + 1j * np.array(material.k))}
        else:
            rows = {
                "n": (wavelengths, n),
                "k": (np.array(material.k_wavelengths_nm), 1j * np.array(material.k)),
            }
    if {"n", "k"} <= set(rows) and np.array_equal(rows["n"][0], rows["k"][0]):
        rows = {"nk": (rows["n"][0], rows["n"][1] + rows["k"][1])}
    tables = {kind: _tabulated(w, index, cast("Kind", kind), source) for kind, (w, index) in rows.items()}
    return _Parts(source, (*formula, *tables.get("nk", ()), *tables.get("n", ())), tables.get("k", ()))


def _tabulated(wavelengths_nm: Array, index: Array, kind: Kind, source: str) -> tuple[Dispersion, ...]:
    """One dispersion for each contiguous part of a table; a lone row is none."""
    found = []
    for part in pieces(wavelengths_nm):
        rows = wavelengths_nm[part]
        if len(rows) > 1:
            table = Continuation.of(rows, index[part], kind)
            found.append(_followed(table, (float(rows[0]), float(rows[-1])), source))
    return tuple(found)


def _followed(table: Continuation, range_nm: Window, source: str) -> Dispersion:
    lines = _lines(table)

    def alone(window_nm: Window) -> Dispersion:
        n, uncertainty = table.alone(window_nm)
        wavelengths = np.linspace(*window_nm, 257)
        off = float(np.abs(n(wavelengths) - table.n(wavelengths)).max())
        note = (
            f"absorption lines of {source} are smoothed: its index is off by up to {off:.2g}"
            if off > _TOLD
            else ""
        )
        return Dispersion(n, range_nm, source, uncertainty=uncertainty, note=note)

    return Dispersion(table.n, range_nm, source, uncertainty=table.uncertainty, lines=lines, alone=alone)


def _lines(table: Continuation) -> Callable[[float, float], list[complex]]:
    def lines(low_nm: float, high_nm: float) -> list[complex]:
        energies = table.lines(units.nm_to_ev(high_nm), units.nm_to_ev(low_nm))
        return [units.k0_per_nm(units.ev_to_nm(energy)) for energy in energies]

    return lines


def _part(parts: tuple[Dispersion, ...], window_nm: Window, source: str, analytic: bool) -> Dispersion:
    """The contiguous part that holds the window, or an error that names the range or the gap."""
    for part in parts:
        if _covers(part.range_nm, window_nm):
            return part.alone(window_nm) if analytic and part.alone else part
    whole = (parts[0].range_nm[0], parts[-1].range_nm[1])
    _inside(window_nm, whole, source)
    for before, after in pairwise(parts):
        gap = before.range_nm[1], after.range_nm[0]
        if window_nm[0] < gap[1] and window_nm[1] > gap[0]:
            raise InputError(
                f"the wavelengths {window_nm[0]:g}-{window_nm[1]:g} nm touch a gap of this material, without rows "
                f"from {gap[0]:g} to {gap[1]:g} nm; narrow the window or choose another entry",
                key="material",
                value=source,
            )
    raise AssertionError(window_nm)


def _with_unknown_k(parts: _Parts, window_nm: Window, analytic: bool) -> Dispersion:
    """n and k together; where k has rows of its own and none near the window, it is unknown, taken as 0, and told."""
    if not parts.n:
        raise InputError("has no two rows of n beside each other", key="material", value=parts.source)
    n = _part(parts.n, window_nm, parts.source, analytic)
    if not parts.k:
        return n
    low, high = parts.k[0].range_nm[0], parts.k[-1].range_nm[1]
    if window_nm[1] < low or window_nm[0] > high:
        note = f"k of {parts.source} is unknown outside {low:g}-{high:g} nm; 0 is used"
        return replace(n, note=note, alone=None)
    if not _covers((low, high), window_nm):
        raise InputError(
            f"the wavelengths {window_nm[0]:g}-{window_nm[1]:g} nm are covered by n of this material "
            f"({n.range_nm[0]:g}-{n.range_nm[1]:g} nm) but only in part by its k ({low:g}-{high:g} nm); "
            "narrow the window",
            key="material",
            value=parts.source,
        )
    k = _part(parts.k, window_nm, parts.source, analytic)
    return combined(
        (n, k),
        lambda w: n.n(w) + k.n(w),
        source=parts.source,
        uncertainty=lambda w: n.uncertainty(w) + k.uncertainty(w),
    )


# -- mixtures ------------------------------------------------------------------------------------------------------


def _effective_film(film: Film, window_nm: Window, analytic: bool) -> Dispersion:
    """Two-phase mixing rules for a fraction f of inorganic spheres.

    Bruggeman: ``f (ε_i - ε)/(ε_i + 2ε) + (1-f)(ε_l - ε)/(ε_l + 2ε) = 0``, solved as
    ``ε = (b + √(b² + 8 ε_i ε_l))/4`` with ``b = (3f-1) ε_i + (2-3f) ε_l``.
    Maxwell Garnett: ``ε = ε_l (1 + 3fβ/(1 - fβ))``, ``β = (ε_i - ε_l)/(ε_i + 2ε_l)``.
    """
    terms = film.film
    inner, host = (resolve(part, window_nm, analytic=analytic) for part in (terms.inorganic, terms.ligand))
    f = terms.fraction

    def bruggeman(inside: Array, outside: Array) -> Array:
        ei, el = inside**2, outside**2
        b = (3.0 * f - 1.0) * ei + (2.0 - 3.0 * f) * el
        return np.sqrt((b + np.sqrt(b * b + 8.0 * ei * el)) / 4.0)

    def maxwell_garnett(inside: Array, outside: Array) -> Array:
        ei, el = inside**2, outside**2
        beta = (ei - el) / (ei + 2.0 * el)
        return np.sqrt(el * (1.0 + 3.0 * f * beta / (1.0 - f * beta)))

    mixed = bruggeman if terms.rule == "bruggeman" else maxwell_garnett

    def uncertainty(w: Array) -> Array:
        at, step = mixed(inner.n(w), host.n(w)), 1e-5
        by_inner = (mixed(inner.n(w) + step, host.n(w)) - at) / step
        by_host = (mixed(inner.n(w), host.n(w) + step) - at) / step
        return carried(by_inner, inner.uncertainty(w)) + carried(by_host, host.uncertainty(w))

    source = f"{terms.rule} film, {f:g} of {inner.source} in {host.source}"
    return combined(
        (inner, host), lambda w: mixed(inner.n(w), host.n(w)), source=source, uncertainty=uncertainty
    )


def combined(members: Sequence[Dispersion], n: Function, *, source: str, uncertainty: Function) -> Dispersion:
    """An index ``n`` made of that of several: known where all are, with the absorption lines and notes of each."""
    low, high = max(m.range_nm[0] for m in members), min(m.range_nm[1] for m in members)
    return Dispersion(
        n,
        (low, high),
        source,
        uncertainty=uncertainty,
        lines=lambda a, b: [line for m in members for line in m.lines(a, b)],
        note="; ".join(filter(None, (m.note for m in members))),
    )


def carried(slope: Any, uncertainty: Any) -> Any:
    """``|Δ Re| + i |Δ Im|`` of something whose derivative by an index is ``slope`` (complex), for ``Δn + i Δk``."""
    real, imaginary = np.abs(np.real(slope)), np.abs(np.imag(slope))
    dn, dk = np.real(uncertainty), np.imag(uncertainty)
    return real * dn + imaginary * dk + 1j * (imaginary * dn + real * dk)
