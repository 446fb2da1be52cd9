"""What the solvers have in common: their settings, the columns of the modes table, the status, and :func:`solve`.

A solver is chosen by the type of its settings; every one fills the same table and leaves NaN for what it cannot know::

    solution = solve(design, Poles(), window_nm=(560, 700))
    solution.modes["wavelength_nm"], solution.status, solution.provenance
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from cavitydesign.errors import InputError, Status
from cavitydesign.geometry.design import Design
from cavitydesign.geometry.stack import Stack
from cavitydesign.kinds import Array, Window

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the modes table: its dtype, unit and meaning."""

    kind: type
    unit: str
    meaning: str


MODE_COLUMNS: Mapping[str, Column] = {
    "wavelength_nm": Column(float, "nm", "resonance wavelength in vacuum, 2π / Re k0"),
    "q": Column(
        float,
        "",
        "quality factor -Re k0 / (2 Im k0); inf where nothing can be lost, negative where amplified",
    ),
    "symmetry": Column(
        str, "", "how E transforms under the symmetry of cell and wavevector (C4v, C6v, C2v, Cs …)"
    ),
    "degeneracy": Column(int, "", "how many modes share this entry"),
    "polarization": Column(
        str, "", "TE (E in the plane) or TM (H in the plane); -like where layers are patterned"
    ),
    "confinement": Column(
        float, "", "share of the mode's ∫ε E·E in the gain film: Re[-(n/k0) dk0/dn] of the film"
    ),
    "threshold_gain_per_cm": Column(
        float, "1/cm", "power gain of the film's material that brings the pole to the real axis"
    ),
    "wavelength_err_nm": Column(float, "nm", "numerical error of wavelength_nm; not that of the inputs"),
    "q_err": Column(float, "", "numerical error of q; not that of the inputs"),
    "q_up": Column(float, "", "Q of radiation into the superstrate alone"),
    "q_down": Column(float, "", "Q of radiation into the substrate alone (power that enters it)"),
    "q_absorbed": Column(float, "", "Q of absorption in the layers alone"),
    "n_eff": Column(float, "", "effective index of the guided wave behind the mode"),
    "order": Column(int, "", "Bragg order m of m λ = 2 n_eff Λ"),
    "k0_per_nm": Column(complex, "1/nm", "complex vacuum wavenumber of the pole, exp(-iωt)"),
}

_BLANK: Mapping[type, Any] = {float: math.nan, int: 0, str: "", complex: complex(math.nan, math.nan)}


@dataclass(frozen=True, eq=False)
class Modes:
    """The modes table: one numpy array per column of :data:`MODE_COLUMNS`, longest wavelength first.

    It is a plain table rather than an xarray Dataset, because importing xarray (1 s) would cost more than finding the
    modes; :meth:`to_dataset` gives the Dataset, with units, where one is wanted.
    """

    columns: Mapping[str, Array]

    @classmethod
    def from_columns(cls, **columns: Sequence[Any] | Array) -> Modes:
        """A table from some of its columns; the others become blank (NaN, 0, ""). Rows are sorted."""
        unknown = sorted(set(columns) - set(MODE_COLUMNS))
        if unknown:
            raise InputError("no such column in the modes table", key=unknown[0])
        rows = len(columns["wavelength_nm"])
        order = np.argsort(-np.asarray(columns["wavelength_nm"], dtype=float), kind="stable")
        full = {}
        for name, column in MODE_COLUMNS.items():
            dtype = object if column.kind is str else column.kind
            values = np.asarray(columns.get(name, [_BLANK[column.kind]] * rows), dtype=dtype)
            full[name] = values[order]
            full[name].setflags(write=False)
        return cls(full)

    @classmethod
    def empty(cls) -> Modes:
        """A table without rows."""
        return cls.from_columns(wavelength_nm=[])

    def __len__(self) -> int:
        return len(self.columns["wavelength_nm"])

    def __getitem__(self, name: str) -> Array:
        return self.columns[name]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self.row(index) for index in range(len(self)))

    def row(self, index: int) -> dict[str, Any]:
        """One mode as a dict of Python scalars."""
        return {name: _scalar(values[index]) for name, values in self.columns.items()}

    def take(self, rows: Sequence[int] | Array) -> Modes:
        """The table of some of its rows."""
        return Modes.from_columns(**{name: values[np.asarray(rows)] for name, values in self.columns.items()})

    def records(self) -> list[dict[str, Any]]:
        """Rows as JSON has them: NaN and infinities become None, k0 a [re, im] pair."""
        return [{name: _jsonable(value) for name, value in row.items()} for row in self]

    def to_dataset(self) -> xarray.Dataset:
        """An xarray Dataset over the dimension ``mode``, with unit and meaning in each variable's attrs.

        The complex wavenumber becomes two real variables, since netCDF has no complex numbers.
        """
        import xarray

        variables = {}
        for name, column in MODE_COLUMNS.items():
            attrs = {"units": column.unit, "long_name": column.meaning}
            values = self.columns[name]
            if column.kind is complex:
                variables[f"{name}_real"] = ("mode", values.real.copy(), attrs)
                variables[f"{name}_imag"] = ("mode", values.imag.copy(), attrs)
            else:
                variables[name] = ("mode", values.astype(str) if column.kind is str else values.copy(), attrs)
        return xarray.Dataset(variables)


def _scalar(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _jsonable(value: Any) -> Any:
    if isinstance(value, complex):
        return [value.real, value.imag] if math.isfinite(value.real) else None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


@dataclass(frozen=True, slots=True)
class Bragg:
    """Settings of the scalar Bragg solver: ``m λ = 2 n_eff(λ) Λ``.

    ``orders`` m to report; None for all that fall into the window.
    """

    orders: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Poles:
    """Settings of the rigorous pole solver.

    Attributes
    ----------
    tolerance_nm, q_tolerance: requested numerical error of λ (nm) and of Q (relative).
    waves: number of plane waves; None lets the solver add waves until the tolerance is met, up to ``max_waves``.
    q_min: modes with a smaller Q are not searched for.
    bloch: in-plane wavevector (kx, ky) in 1/nm. For a stack without lattice this is the wavevector itself.
    angle_deg: the same as an angle of incidence from the superstrate, which follows the frequency:
        (kx, ky) = k0 n (sin θ, 0). Only for uniform stacks.
    exact_threshold: solve for the exact linear threshold gain rather than its first-order value.
    """

    tolerance_nm: float = 0.01
    q_tolerance: float = 0.005
    waves: int | None = None
    max_waves: int = 400
    q_min: float = 5.0
    bloch: tuple[float, float] = (0.0, 0.0)
    angle_deg: float = 0.0
    exact_threshold: bool = False


@dataclass(frozen=True, slots=True)
class Finite:
    """Settings of the finite-array solver (four coupled waves fed by rigorous Γ-point poles)."""

    periods: tuple[int, int] | None = None
    poles: Poles = field(default_factory=Poles)


@dataclass(frozen=True, slots=True)
class Solution:
    """What a solver returns: the table, how it fared, and where the numbers come from."""

    modes: Modes
    status: Status
    provenance: Mapping[str, Any]
    warnings: tuple[str, ...] = ()


def checked_window(window_nm: Window) -> Window:
    """A wavelength window as (shortest, longest) in nm, or an InputError."""
    low, high = (float(edge) for edge in window_nm)
    if not (math.isfinite(low) and math.isfinite(high) and 0.0 < low < high):
        raise InputError(
            "must be [shorter, longer] wavelength in nm, both > 0", key="window_nm", value=[low, high]
        )
    if high > 2.5 * low:
        raise InputError(
            "spans more than a factor 2.5 in wavelength; search in parts", key="window_nm", value=[low, high]
        )
    return low, high


def solve(subject: Design | Stack, settings: Any, *, window_nm: Window | None = None) -> Solution:
    """Find the resonances of a design or a stack with the solver that ``settings`` belongs to.

    ``window_nm`` is (shortest, longest) vacuum wavelength; a design brings its own default. The settings are one of
    :class:`Bragg`, :class:`Poles`, :class:`Finite` and :class:`cavitydesign.solvers.fdtd.Fdtd`.
    """
    if window_nm is None:
        if not isinstance(subject, Design):
            raise InputError("a stack has no default window; give (shortest, longest) in nm", key="window_nm")
        window_nm = subject.window_nm
    window = checked_window(window_nm)
    stack = subject.to_stack() if isinstance(subject, Design) else subject
    run = _solver_for(settings)
    start = time.perf_counter()
    try:
        solution = run(stack, settings, window_nm=window, subject=subject)
    except InputError as error:
        raise _with_key(error, subject, stack, window) from None
    from cavitydesign import __version__

    provenance = {
        "solver": type(settings).__name__.lower(),
        "cavitydesign": __version__,
        "design_id": subject.id,
        "window_nm": list(window),
        "elapsed_s": time.perf_counter() - start,
        **solution.provenance,
    }
    return Solution(solution.modes, solution.status, provenance, solution.warnings)


def _with_key(error: InputError, subject: Design | Stack, stack: Stack, window_nm: Window) -> InputError:
    """A complaint about a material's range knows the material only; here it learns where in the design that stands."""
    from cavitydesign.optics.media.index import resolve

    if error.key != "material" or not isinstance(subject, Design):
        return error
    for material in stack.materials:
        try:
            resolve(material, window_nm)
        except InputError as found:
            if found.message == error.message and found.value == error.value:
                return InputError(error.message, key=subject.key_of(material) or error.key, value=error.value)
    return error


def _solver_for(settings: Any) -> Any:
    """The solver's ``run(stack, settings, *, window_nm, subject)``, imported when first used."""
    name = type(settings).__name__.lower()
    if name not in ("bragg", "poles", "finite", "fdtd"):
        raise InputError(
            "no solver takes these settings; use Bragg, Poles, Finite or Fdtd", key="settings", value=settings
        )
    import importlib

    return importlib.import_module(f"cavitydesign.solvers.{name}").run
