"""A toy solver whose modes follow a film's numbers linearly, so that every truth of `study` has a closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cavitydesign import Design, design_from_dict
from cavitydesign.errors import SolverError, Status
from cavitydesign.solvers.ask import Ask, Solver
from cavitydesign.solvers.solution import Mode, Modes, Solution
from cavitydesign.study.peaks import Peak

PERIOD_NM, THICKNESS_NM, INDEX = 400.0, 200.0, 2.0
THICKNESS, FILM_INDEX = "layers.1.thickness_nm", "layers.1.material.n"


@dataclass(frozen=True)
class Rule:
    """One mode: where it stands at the toy's numbers, and how it moves with period, thickness and index."""

    wavelength_nm: float
    by_period: float = 0.0
    by_thickness: float = 0.0
    by_index: float = 0.0
    symmetry: str = "E"
    polarization: str = "TE"
    q: float = 1000.0
    gain_per_cm: float = 100.0
    """Grows as (thickness / 200 nm) to the power ``gain_power``."""
    gain_power: float = 0.0
    outward_share: float = 1.0
    confinement: float = 0.3


@dataclass(frozen=True)
class Toy(Solver):
    """Modes by rules; those outside the window are not seen. Above ``breaks_at_nm`` of thickness it gives up."""

    name = "toy"
    version = 3

    rules: tuple[Rule, ...] = (Rule(640.0, by_thickness=0.5),)
    breaks_at_nm: float = math.inf

    def run(self, ask: Ask) -> Solution:
        film = ask.stack.layers[1]
        if film.thickness_nm > self.breaks_at_nm:
            raise SolverError("too thick for a toy", status=Status.INCOMPLETE)
        period, thickness = ask.stack.lattice.period_nm, film.thickness_nm
        modes = [
            Mode(
                rule.wavelength_nm
                + rule.by_period * (period - PERIOD_NM)
                + rule.by_thickness * (thickness - THICKNESS_NM)
                + rule.by_index * (film.material.n - INDEX),
                rule.q,
                rule.symmetry,
                1,
                rule.polarization,
                confinement=rule.confinement,
                threshold_gain_per_cm=rule.gain_per_cm * (thickness / THICKNESS_NM) ** rule.gain_power,
                outward_share=rule.outward_share,
            )
            for rule in self.rules
        ]
        low, high = ask.window_nm
        seen = [mode for mode in modes if low <= mode.wavelength_nm <= high]
        return Solution(Modes.of(seen), Status.OK if seen else Status.NO_MODES)


def assumed(value: float, plus_minus: float | None) -> dict:
    """A number of a design as a file gives it when it is assumed."""
    return {"value": value, "source": "assumed", "plus_minus": plus_minus}


def film(*, thickness_err: float | None = 10.0, index_err: float | None = None, **parts) -> Design:
    """A film in air on a square lattice; thickness (and index, where asked) assumed."""
    thickness = THICKNESS_NM if thickness_err is None else assumed(THICKNESS_NM, thickness_err)
    index = INDEX if index_err is None else assumed(INDEX, index_err)
    content = {
        "name": "toy film",
        "family": "stack",
        "window_nm": [600.0, 700.0],
        "lattice": {"kind": "square", "period_nm": PERIOD_NM},
        "layers": [
            {"material": {"n": 1.0}},
            {"material": {"n": index}, "thickness_nm": thickness, "gain": True},
            {"material": {"n": 1.0}},
        ],
        **parts,
    }
    return design_from_dict(content)


def peak(wavelength_nm: float = math.nan, *, device=None, unstated=(), line: int = 2, **content) -> Peak:
    """A row of a peaks file; texts and numbers by their columns' names."""
    texts = {name: value for name, value in content.items() if isinstance(value, str)}
    numbers = {name: value for name, value in content.items() if not isinstance(value, str)}
    return Peak(device or {}, {"wavelength_nm": wavelength_nm, **numbers}, texts, line, tuple(unstated))
