"""What every solver returns: modes as one table, how the solver fared, and where the numbers come from.

::

    solution = solve(design)
    for mode in solution.modes:                # each a Mode
        mode.wavelength_nm, mode.q, mode.dark
    solution.modes["wavelength_nm"]            # a column, longest wavelength first
    solution.modes[0].fields(z_nm=100.0)       # its fields, where the solver keeps live resonances
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Protocol, Self, overload

import numpy as np

from cavitydesign.errors import InputError, Status
from cavitydesign.files import html_table, json_ready
from cavitydesign.kinds import Array, Window

if TYPE_CHECKING:
    import xarray

DARK = 3e-4
"""Outward share below which a mode is dark: less leaves it than what the side walls of an etched array scatter."""


class Live(Protocol):
    """A resonance with its vectors, as a solver's modes carry it while they live in memory."""

    @property
    def k0(self) -> complex:
        """Complex vacuum wavenumber, 1/nm."""
        ...

    def fields(self, *, z_nm: Any, x_nm: Any = 0.0, y_nm: Any = 0.0) -> Any:
        """E and H at heights above the substrate and places in the plane."""
        ...

    def far_field(self, **asked: Any) -> Any:
        """What it radiates, over directions."""
        ...

    def derivative(self, below: Any, above: Any, *, step: float) -> complex:
        """dk0/dp by two numeric stacks at p - step and p + step."""
        ...


def _column(unit: str, meaning: str, default: Any) -> Any:
    return field(default=default, metadata={"unit": unit, "meaning": meaning})


@dataclass(frozen=True, slots=True)
class Mode:
    """One resonance. What the method cannot know is NaN (a number), 0 (a count) or "" (a name).

    Attributes:
        live: the resonance with its vectors; None for a mode that was stored, or of a method without fields.
    """

    wavelength_nm: float = _column("nm", "resonance wavelength in vacuum, 2π / Re k0", math.nan)
    q: float = _column(
        "",
        "quality factor -Re k0 / (2 Im k0); inf where nothing can be lost, negative where amplified",
        math.nan,
    )
    symmetry: str = _column(
        "", "how E transforms under the symmetry of cell and wavevector (C4v, C6v, Cs …)", ""
    )
    degeneracy: int = _column("", "how many modes share this entry", 0)
    polarization: str = _column(
        "", "TE (E in the plane) or TM (H in the plane); -like where layers are patterned", ""
    )
    confinement: float = _column(
        "", "share of the mode's ∫ε E·E in the gain film: Re[-(n/k0) dk0/dn] of the film", math.nan
    )
    threshold_gain_per_cm: float = _column(
        "1/cm", "power gain of the film's material that brings the pole to the real axis", math.nan
    )
    wavelength_err_nm: float = _column(
        "nm", "error of wavelength_nm by numerics and index tables; not that of the inputs", math.nan
    )
    q_err: float = _column("", "error of q by numerics and index tables; not that of the inputs", math.nan)
    q_up: float = _column("", "Q of radiation into the superstrate alone", math.nan)
    q_down: float = _column("", "Q of radiation into the substrate alone (power that enters it)", math.nan)
    q_absorbed: float = _column("", "Q of absorption in the layers alone", math.nan)
    q_edges: float = _column("", "Q of what leaves a finite array through its edges", math.nan)
    n_eff: float = _column("", "effective index of the guided wave behind the mode", math.nan)
    order: int = _column("", "Bragg order m of m λ = 2 n_eff Λ", 0)
    k0_per_nm: complex = _column(
        "1/nm", "complex vacuum wavenumber of the pole, exp(-iωt)", complex(math.nan, math.nan)
    )
    outward_share: float = _column(
        "", "power that leaves through the two outer faces, by all power that the near field carries or swings there",
        math.nan,
    )  # fmt: skip
    live: Live | None = field(default=None, repr=False, compare=False)

    @property
    def lossless(self) -> bool:
        """Whether nothing of it can be lost, so that Q is unlimited rather than unknown."""
        return self.q == math.inf

    @property
    def dark(self) -> bool | None:
        """Whether it sends next to nothing to either half-space: outward share below :data:`DARK`. None: not known.

        By flux at the outer faces, never by Q: a mode behind good mirrors has a high Q and is bright.
        """
        return None if math.isnan(self.outward_share) else self.outward_share < DARK

    @property
    def loss(self) -> float:
        """1/Q; 0 where nothing is lost, NaN where it is not known."""
        return 0.0 if self.lossless else 1.0 / self.q

    @property
    def loss_err(self) -> float:
        """Numerical error of 1/Q; 0 where nothing is lost."""
        return 0.0 if self.lossless else self.q_err / self.q**2

    @property
    def kind(self) -> str:
        """Symmetry and polarization in words; "" where neither is known."""
        return " ".join(filter(None, (self.symmetry, self.polarization)))

    def record(self) -> dict[str, Any]:
        """As JSON has it: None for what is not known or not limited, k0 a [re, im] pair."""
        columns = {name: json_ready(getattr(self, name)) for name in MODE_COLUMNS}
        return {**columns, "dark": self.dark, "lossless": self.lossless}

    def fields(self, *, z_nm: Any, x_nm: Any = 0.0, y_nm: Any = 0.0) -> Any:
        """E and H at heights above the substrate (nm) and places in the plane; see the live resonance's own method.

        Raises:
            InputError: a place is no finite number, or so far away that the field is none.
        """
        _check_finite({"z_nm": z_nm, "x_nm": x_nm, "y_nm": y_nm})
        with np.errstate(over="ignore", invalid="ignore"):
            found = self._alive().fields(z_nm=z_nm, x_nm=x_nm, y_nm=y_nm)
            if not np.isfinite(getattr(found, "e2", 0.0)).all():
                rule = "is too far away: there the field of this mode exceeds all numbers"
                raise InputError(rule, key="z_nm", value=z_nm)
        return found

    def far_field(self, **asked: Any) -> Any:
        """What the mode radiates over directions; see :func:`cavitydesign.optics.patterned.farfield.far_field`."""
        _check_finite(asked)
        return self._alive().far_field(**asked)

    def derivative(self, below: Any, above: Any, *, step: float) -> complex:
        """dk0/dp (1/nm per unit of p) by the numeric stacks at p - step and p + step."""
        return self._alive().derivative(below, above, step=step)

    def __reduce__(self) -> tuple[Any, ...]:
        """Without its live resonance, which stays in the process that found it."""
        return type(self), tuple(getattr(self, item.name) for item in fields(self) if item.name != "live")

    def _alive(self) -> Live:
        if self.live is None:
            rule = "this mode has no fields: it was stored, or its method has none; solve again with the poles solver"
            raise InputError(rule, key="mode", value=f"{self.wavelength_nm:.2f} nm {self.kind}")
        return self.live


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the modes table: its dtype, unit and meaning, and what stands where nothing is known."""

    kind: type
    unit: str
    meaning: str
    blank: Any


MODE_COLUMNS: Mapping[str, Column] = {
    item.name: Column(type(item.default), item.metadata["unit"], item.metadata["meaning"], item.default)
    for item in fields(Mode)
    if item.metadata
}


@dataclass(frozen=True, eq=False)
class Modes:
    """The modes table: rows of :class:`Mode`, and one numpy array per column; longest wavelength first.

    It is a plain table rather than an xarray Dataset, because importing xarray (1 s) would cost more than finding the
    modes; :meth:`to_dataset` gives the Dataset, with units, where one is wanted.
    """

    columns: Mapping[str, Array]
    live: tuple[Live | None, ...] = ()

    @classmethod
    def from_columns(cls, *, live: Sequence[Live | None] = (), **columns: Sequence[Any] | Array) -> Self:
        """A table from some of its columns; the others become blank (NaN, 0, ""). Rows are sorted."""
        unknown = sorted(set(columns) - set(MODE_COLUMNS))
        if unknown:
            raise InputError("no such column in the modes table", key=unknown[0])
        rows = len(columns["wavelength_nm"])
        order = np.argsort(-np.asarray(columns["wavelength_nm"], dtype=float), kind="stable")
        full = {}
        for name, column in MODE_COLUMNS.items():
            dtype = object if column.kind is str else column.kind
            values = np.asarray(columns.get(name, [column.blank] * rows), dtype=dtype)
            full[name] = values[order]
            full[name].setflags(write=False)
        return cls(full, tuple(live[row] for row in order) if live else ())

    @classmethod
    def of(cls, modes: Sequence[Mode]) -> Self:
        """A table of modes."""
        columns = {name: [getattr(mode, name) for mode in modes] for name in MODE_COLUMNS}
        live = [mode.live for mode in modes]
        return cls.from_columns(**columns, live=live if any(item is not None for item in live) else ())

    @classmethod
    def empty(cls) -> Self:
        """A table without rows."""
        return cls.from_columns(wavelength_nm=[])

    def __reduce__(self) -> tuple[Any, ...]:
        """Without the live resonances, which stay in the process that found them."""
        return _read_only, (type(self), dict(self.columns))

    def __len__(self) -> int:
        return len(self.columns["wavelength_nm"])

    @overload
    def __getitem__(self, at: str) -> Array: ...

    @overload
    def __getitem__(self, at: int) -> Mode: ...

    @overload
    def __getitem__(self, at: slice) -> Self: ...

    def __getitem__(self, at: str | int | slice) -> Any:
        """A column by its name, a mode by its row, a table of some rows by a slice."""
        if isinstance(at, str):
            return self.columns[at]
        if isinstance(at, slice):
            return self.take(range(len(self))[at])
        row = range(len(self))[at]
        values = {name: _scalar(column[row]) for name, column in self.columns.items()}
        return Mode(**values, live=self.live[row] if self.live else None)

    def __iter__(self) -> Iterator[Mode]:
        return (self[row] for row in range(len(self)))

    @property
    def dark(self) -> Array:
        """Which modes are dark, shape (M,); those of which it is not known are not."""
        with np.errstate(invalid="ignore"):
            return self.columns["outward_share"] < DARK

    def take(self, rows: Sequence[int] | Array) -> Self:
        """The table of some of its rows."""
        chosen = np.asarray(rows, dtype=int)
        live = [self.live[row] for row in chosen] if self.live else ()
        return type(self).from_columns(
            **{name: values[chosen] for name, values in self.columns.items()}, live=live
        )

    def with_columns(self, **changed: Array) -> Self:
        """The table with some columns changed; rows keep their order, whatever their new wavelengths."""
        return replace(self, columns={**self.columns, **changed})

    def records(self) -> list[dict[str, Any]]:
        """Rows as JSON has them."""
        return [mode.record() for mode in self]

    def to_dataset(self) -> xarray.Dataset:
        """An xarray Dataset over the dimension ``mode``, with unit and meaning in each variable's attrs.

        The complex wavenumber becomes two real variables, since netCDF has no complex numbers.
        """
        import xarray

        return xarray.Dataset(dataset_variables(self.columns, ("mode",)))

    def _repr_html_(self) -> str:
        """A table for notebooks."""
        names = ("wavelength_nm", "wavelength_err_nm", "q", "symmetry", "polarization", "confinement")
        rows = [
            [_shown(getattr(mode, name)) for name in (*names, "threshold_gain_per_cm")] + [_shown(mode.dark)]
            for mode in self
        ]
        head = ("λ (nm)", "± (nm)", "Q", "symmetry", "polarization", "Γ film", "g_th (1/cm)", "dark")
        return html_table(head, rows)


def _check_finite(asked: Mapping[str, Any]) -> None:
    for key, value in asked.items():
        found = np.asarray(value)
        if found.dtype.kind in "fc" and not np.isfinite(found).all():
            raise InputError("must be finite numbers", key=key, value=value)


def _read_only(kind: type[Modes], columns: Mapping[str, Array]) -> Modes:
    """The table of columns that came from another process, in the order in which they came."""
    for values in columns.values():
        values.setflags(write=False)
    return kind(columns)


def dataset_variables(columns: Mapping[str, Array], dims: Sequence[str]) -> dict[str, Any]:
    """Variables of an xarray Dataset from columns of the modes table of any shape; complex ones as two real ones."""
    variables: dict[str, Any] = {}
    for name, column in MODE_COLUMNS.items():
        attrs, values = {"units": column.unit, "long_name": column.meaning}, columns[name]
        if column.kind is complex:
            variables[f"{name}_real"] = (dims, np.real(values).copy(), attrs)
            variables[f"{name}_imag"] = (dims, np.imag(values).copy(), attrs)
        else:
            variables[name] = (dims, values.astype(str) if column.kind is str else values.copy(), attrs)
    return variables


@dataclass(frozen=True, slots=True)
class Rejected:
    """A candidate that is no mode: where it was seen, and the reason."""

    where: str
    wavelength_nm: float
    q: float
    reason: str

    def record(self) -> dict[str, Any]:
        """As JSON has it."""
        return {**asdict(self), "wavelength_nm": round(self.wavelength_nm, 4), "q": json_ready(self.q)}


@dataclass(frozen=True)
class Solution:
    """What a solver returns.

    Attributes:
        modes: the table.
        status: how the solver fared; its value is advice.
        provenance: what a person may want to know of how the numbers came about. No code reads it.
        warnings: what to know, in words.
        solver: name of the solver.
        window_nm: the wavelengths that were searched, (shortest, longest).
        design_id: SHA-256 of the design or stack.
        rejected: candidates that are no modes.
        details: for each mode what the table has no column for, in a type of the solver's; empty where it has none.

    A solution that was stored comes back without live resonances, ``rejected`` and ``details``.
    """

    modes: Modes
    status: Status
    provenance: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    solver: str = ""
    window_nm: Window = (math.nan, math.nan)
    design_id: str = ""
    rejected: tuple[Rejected, ...] = ()
    details: tuple[Any, ...] = ()

    def _repr_html_(self) -> str:
        """The modes and the status, for notebooks."""
        notes = "".join(f"<p>{html.escape(text)}</p>" for text in (f"{self.status.value}.", *self.warnings))
        return f"<p><b>{html.escape(self.solver)}</b></p>{self.modes._repr_html_()}{notes}"


def _shown(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return "∞" if math.isinf(value) else f"{value:.6g}"
    return str(value)


def _scalar(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
