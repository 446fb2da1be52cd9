"""Every resonance of a multilayer in a wavelength window, rigorously.

A resonance is a pole of the stack's response: a complex k0 where the admittances above and below an interface cancel,
``M(k0) v = 0`` (:mod:`cavitydesign.optics.patterned.admittance`). How all of them are found, proven and refined is told
in :mod:`cavitydesign.optics.patterned.climb`; here their fields give, by exact first derivatives of the pole,
confinement, threshold gain and partial losses.

A stack without inclusions is the same problem with one plane wave; its poles are the zeros of a scalar function
(:mod:`cavitydesign.optics.uniform.resonator`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from cavitydesign import units
from cavitydesign.errors import InputError, Status
from cavitydesign.kinds import Window
from cavitydesign.optics.media.numeric import NumericStack, resolve_stack
from cavitydesign.optics.patterned.climb import Found, Settled, is_converged, is_wanted, resonances
from cavitydesign.optics.patterned.fourier import centred
from cavitydesign.optics.patterned.ladder import FEWEST_WAVES
from cavitydesign.optics.patterned.resonance import Resonance, exact_threshold_kappa, polish
from cavitydesign.optics.patterned.symmetry import Group
from cavitydesign.optics.uniform.derivative import exact_threshold, stack_derivative
from cavitydesign.optics.uniform.lines import lines_within
from cavitydesign.optics.uniform.multilayer import Field
from cavitydesign.optics.uniform.resonator import (
    UniformResonance,
    resonance_columns,
    resonance_field,
    uniform_resonances,
)
from cavitydesign.solvers.ask import Ask, Solver, option
from cavitydesign.solvers.solution import Mode, Modes, Solution


@dataclass(frozen=True)
class Poles(Solver):
    """Settings of the rigorous pole solver.

    Attributes:
        tolerance_nm: requested numerical error of λ, nm.
        q_tolerance: requested numerical error of Q, relative.
        waves: number of plane waves; None lets the solver add waves until the tolerance is met, up to ``max_waves``.
        max_waves: the most plane waves that it adds; None is 400, or as many as some seconds of work allow.
        q_min: modes with a smaller Q are not searched for.
        exact_threshold: solve for the exact linear threshold gain rather than its first-order value.
        group: the point group that sorts the modes, a subgroup of the cell's own; None is that.
    """

    name: ClassVar[str] = "poles"
    version: ClassVar[int] = 4
    asks: ClassVar[tuple[str, ...]] = ("bloch", "angle_deg")

    tolerance_nm: float = option(0.01, "Numerical error of λ to reach.", name="--tolerance", metavar="NM")
    q_tolerance: float = option(0.005, "Numerical error of Q to reach, relative.", name="--q-tolerance")
    waves: int | None = option(
        None, "Number of plane waves; without, until the tolerance is met.", name="--waves"
    )
    max_waves: int | None = option(
        None, "The most plane waves to try; without, up to 400 in about ten seconds.", name="--max-waves"
    )
    q_min: float = option(5.0, "Smallest Q to look for.", name="--q-min")
    exact_threshold: bool = option(
        False, "Solve for the exact threshold gain, not its first order.", name="--exact-threshold"
    )
    group: Group | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        for name in ("tolerance_nm", "q_tolerance", "waves", "max_waves", "q_min"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise InputError("must be > 0", key=name, value=value)
            if value is not None and name.endswith("waves") and value < FEWEST_WAVES:
                rule = f"must be at least {FEWEST_WAVES}; fewer do not hold the waves of every symmetry"
                raise InputError(rule, key=name, value=value)

    def run(self, ask: Ask) -> Solution:
        """All resonances of the infinite cell in the window; a device's size is not looked at."""
        numeric = resolve_stack(ask.stack, window_nm=ask.window_nm)
        if numeric.is_uniform:
            return _run_uniform(numeric, self, ask)
        if ask.angle_deg:
            raise InputError(
                "an angle of incidence is for stacks without lattice; give the Bloch wavevector instead",
                key="angle_deg", value=ask.angle_deg,
            )  # fmt: skip
        found = resonances(
            numeric, self, window_nm=ask.window_nm, bloch=ask.bloch, group=self.group, progress=ask.progress
        )
        modes = [mode for mode in found.modes if is_wanted(mode, self, ask.window_nm)]
        if not found.complete:
            status = Status.INCOMPLETE
        elif not modes:
            status = Status.NO_MODES
        else:
            status = Status.OK if all(is_converged(mode, self) for mode in modes) else Status.UNCONVERGED
        table = Modes.of([_row(mode, self) for mode in modes])
        return Solution(table, status, _provenance(table, found, numeric, ask.window_nm))


@dataclass(frozen=True)
class Patterned:
    """The live resonance of a patterned stack: what its vectors tell on request."""

    resonance: Resonance

    @property
    def k0(self) -> complex:
        """Complex vacuum wavenumber, 1/nm."""
        return self.resonance.k0

    @property
    def waves(self) -> int:
        """Number of plane waves behind it."""
        return len(self.resonance.problem.waves)

    @cached_property
    def _tight(self) -> Resonance:
        """Polished to rounding, as a derivative by differences of stacks wants it."""
        return polish(self.resonance.problem, self.resonance.k0, accept=1e-10) or self.resonance

    def fields(self, *, z_nm: Any, x_nm: Any = 0.0, y_nm: Any = 0.0, **more: Any) -> Any:
        """E and H; see :func:`cavitydesign.optics.patterned.nearfield.mode_fields`."""
        from cavitydesign.optics.patterned.nearfield import mode_fields

        return mode_fields(self.resonance, z_nm=z_nm, x_nm=x_nm, y_nm=y_nm, **more)

    def far_field(self, **asked: Any) -> Any:
        """Radiation over directions; see :func:`cavitydesign.optics.patterned.farfield.far_field`."""
        from cavitydesign.optics.patterned.farfield import far_field

        return far_field(self.resonance, **asked)

    def derivative(self, below: NumericStack, above: NumericStack, *, step: float) -> complex:
        """dk0/dp; see :func:`cavitydesign.optics.patterned.derivative.pole_derivative`."""
        from cavitydesign.optics.patterned.derivative import pole_derivative

        return pole_derivative(self._tight, centred(below), centred(above), step=step)

    def absorption(self) -> dict[str, float]:
        """``1/Q`` by absorption for each material that absorbs in the finite layers, by what the material is."""
        found: dict[str, float] = {}
        for number, loss in self.resonance.absorption().items():
            name = self.resonance.problem.stack.materials[number].source
            found[name] = found.get(name, 0.0) + loss
        return found


@dataclass(frozen=True)
class Layered:
    """The live resonance of a uniform stack."""

    numeric: NumericStack
    resonance: UniformResonance
    ask: Ask

    @property
    def k0(self) -> complex:
        """Complex vacuum wavenumber, 1/nm."""
        return self.resonance.k0

    def fields(self, *, z_nm: Any = None, x_nm: Any = 0.0, y_nm: Any = 0.0) -> Field:
        """The field along z (nm above the substrate), its largest |E| one; it is the same all over the plane."""
        del x_nm, y_nm
        return resonance_field(self.numeric, self.resonance, z_nm=z_nm)

    def far_field(self, **_asked: Any) -> Any:
        """A uniform stack radiates into one direction, that of its wavevector."""
        raise InputError("a uniform stack radiates along its own wavevector only", key="far_field")

    def derivative(self, below: NumericStack, above: NumericStack, *, step: float) -> complex:
        """dk0/dp at a fixed wavevector or angle, from the characteristic function itself."""
        return stack_derivative(
            self.resonance,
            self.numeric,
            below,
            above,
            step=step,
            angle_deg=self.ask.angle_deg,
            bloch=self.ask.bloch,
        )


# -- the table -----------------------------------------------------------------------------------------------------


def _row(mode: Settled, settings: Poles) -> Mode:
    resonance = _sharp(mode.resonance)
    mode = replace(mode, resonance=resonance)
    endless = mode.loss == 0.0
    up, down, absorbed = (0.0, 0.0, 0.0) if endless else resonance.losses()
    if endless:
        kappa = 0.0 if any(resonance.problem.stack.gain) else math.nan
    else:
        kappa = exact_threshold_kappa(resonance) if settings.exact_threshold else resonance.threshold_kappa()
    return Mode(
        wavelength_nm=mode.wavelength_nm,
        q=mode.q,
        symmetry=mode.symmetry,
        degeneracy=mode.degeneracy,
        polarization=resonance.polarization,
        confinement=resonance.confinement(),
        threshold_gain_per_cm=units.gain_per_cm_from_kappa(kappa, mode.wavelength_nm),
        wavelength_err_nm=mode.wavelength_err_nm,
        q_err=mode.q_err,
        q_up=_inverse(up),
        q_down=_inverse(down),
        q_absorbed=_inverse(absorbed),
        k0_per_nm=complex(resonance.k0.real, 0.0) if endless else resonance.k0,
        outward_share=resonance.outward_share(),
        live=Patterned(resonance),
    )


def _provenance(table: Modes, found: Found, numeric: NumericStack, window_nm: Window) -> dict[str, Any]:
    """For people: plane waves, symmetry, remainder of the proof, and what absorbs in each mode."""
    live = [item for item in table.live if isinstance(item, Patterned)]
    return {
        "index_uncertainties": numeric.index_uncertainties(window_nm),
        "absorption": [item.absorption() for item in live],
        "waves": max((item.waves for item in live), default=found.waves),
        "group": found.group,
        "uncounted": [f"{g.symmetry} {g.low_nm:.2f}-{g.high_nm:.2f} nm, {g.waves} waves" for g in found.gaps],
    }


def _sharp(resonance: Resonance) -> Resonance:
    """The resonance with its fields taken at the pole itself: those of a followed one lag a step behind, and powers
    (unlike the pole) feel that to first order."""
    weak = -2.0 * resonance.k0.imag / resonance.k0.real < 1e-6  # its power is the square of a small field
    accept = 1e-13 if weak else 1e-7
    if resonance.is_lossless or resonance.residual < accept:
        return resonance
    near = 1e-7 * abs(resonance.k0)  # never on to another one
    sharp = polish(resonance.problem, resonance.k0, reach=near, accept=accept, sheets=resonance.sheets)
    return replace(sharp, multiplicity=resonance.multiplicity) if sharp else resonance


def _inverse(loss: float) -> float:
    return 1.0 / loss if loss else math.inf


def _run_uniform(numeric: NumericStack, settings: Poles, ask: Ask) -> Solution:
    """One plane wave: the zeros of a scalar function, counted by its winding number."""
    angle, bloch = ask.angle_deg, ask.bloch
    found = uniform_resonances(
        numeric, window_nm=ask.window_nm, q_min=settings.q_min, angle_deg=angle, bloch=bloch
    )
    provenance = {"index_uncertainties": numeric.index_uncertainties(ask.window_nm)}
    unsearched = tuple(line.told for line in lines_within(numeric, ask.window_nm, settings.q_min))
    if not found:
        return Solution(Modes.empty(), Status.NO_MODES, provenance, unsearched)
    columns = resonance_columns(found)
    if settings.exact_threshold and any(numeric.gain):
        exact = [exact_threshold(numeric, mode, angle_deg=angle, bloch=bloch)[1] for mode in found]
        columns["threshold_gain_per_cm"] = exact
    status = Status.OK if all(mode.complete for mode in found) else Status.INCOMPLETE
    live = [Layered(numeric, mode, ask) for mode in found]
    warnings = (*unsearched, *_left_open(numeric, found, settings))
    return Solution(Modes.from_columns(**columns, live=live), status, provenance, warnings)


def _left_open(numeric: NumericStack, found: list[UniformResonance], settings: Poles) -> tuple[str, ...]:
    """Which tables leave more of λ or Q open than was asked for, in words; no setting can mend that."""
    wide = [
        mode
        for mode in found
        if mode.wavelength_nm * mode.k0_open.real / mode.k0.real > settings.tolerance_nm
        or mode.k0_open.imag > settings.q_tolerance * max(abs(mode.k0.imag), mode.k0_err)
    ]
    if not wide:
        return ()
    sources = dict.fromkeys(
        numeric.materials[number].source
        for mode in wide
        for number in np.flatnonzero(numeric.index_uncertainty(mode.k0))
    )
    which = "one mode" if len(wide) == 1 else f"{len(wide)} modes"
    told = f"the tables of n and k ({', '.join(sources)}) leave open more of the wavelength or Q of {which}"
    return (f"{told} than the tolerance; it is in the error bars",)
