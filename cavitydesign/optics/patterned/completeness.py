"""All poles of one symmetry block in one region: found, polished, and counted.

The search and the count do not see alike. The search samples the response ``probeᵀ M⁻¹ probe`` at one interface on a
curve around the region, and takes the poles of its rational interpolant; what that interface hardly sees it misses.
The count samples, at the same points, the characteristic function D of the whole stack
(:meth:`~cavitydesign.optics.patterned.admittance.BlockProblem.log_count`), which has a zero at every resonance and no
pole, whatever the interface. Once the zeros that are known are divided out,

    D(u) / Π (u - u_i)   must not turn around zero along the curve   (the argument principle).

Where it does, the characteristic function itself is followed to its missing zeros, then those that share a place are
parted, then the response is looked at from every other interface, then the region is cut in two, until count and
search agree or the effort is spent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from cavitydesign.kinds import Array
from cavitydesign.optics.patterned.admittance import BlockProblem, Sheets, Sides
from cavitydesign.optics.patterned.counting import NEAR, TURN, winding, woven
from cavitydesign.optics.patterned.regions import edge_poles, region_sheets
from cavitydesign.optics.patterned.resonance import Resonance, polish
from cavitydesign.optics.patterned.search import Curve, Region, curve_around, loewner_poles

SAME = 1e-10
"""Poles nearer to each other than this (relative) are one, by what polishing leaves of rounding."""

_PROBES = 4  # columns of the probed response; more than the modes that may share one pole
_SAMPLES = (16, 32, 64, 128)  # points on the curve, doubled until count and search agree
_ENOUGH = 64  # after so many, only where twice as many will be smooth enough; else the box is cut
_GUESS = 3.0  # largest turn at which the count is likely right, and worth going after
_CUTS = 7  # how often a region may be halved
_MOST_LOOKS = 6000  # evaluations of M after which it is not halved any further
_FAINTEST = (
    1e-8  # residue, relative to the response times the region's size, below which a candidate is noise
)
_PURSUIT = 12  # steps towards zeros of D
_RINGS = (1e-3, 1e-5, 1e-7)  # circles that part the zeros at one place, in units of the region's size


@dataclass(frozen=True)
class Search:
    """What one block gave in one region: its resonances, and where the count agrees with them.

    Attributes:
        resonances: those of the wanted part of the region.
        settled: the boxes in which every zero of the characteristic function is accounted for.
        open: the boxes in which count and search differ.
        looks: evaluations of M that it took.
        strangers: zeros of D (as u) in and around the settled boxes that are no wanted resonances.
    """

    resonances: tuple[Resonance, ...]
    settled: tuple[Region, ...]
    open: tuple[Region, ...] = ()
    looks: int = 0
    strangers: tuple[complex, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether the whole region is accounted for."""
        return not self.open


def search(
    problem: BlockProblem,
    region: Region,
    *,
    known: Sequence[Resonance] = (),
    boxes: Sequence[Region] | None = None,
) -> Search:
    """All poles of one block in one region, with proof.

    Args:
        known: resonances of this block found elsewhere already; they are not polished again.
        boxes: the parts of the region to look at; None is all of it.
    """
    hunt = _Hunt(problem, region, [item for item in known if is_of_sheet(item, region)])
    waiting = [(box, 0) for box in (boxes if boxes is not None else [region])]
    settled, unsettled, strangers = [], [], []
    while waiting:
        box, cuts = waiting.pop()
        if hunt.settle(box):
            settled.append(box)
            strangers += hunt.others
        elif cuts < _CUTS and hunt.looks < _MOST_LOOKS:
            waiting += [(half, cuts + 1) for half in box.halves() if hunt.is_wanted(half)]
        else:
            unsettled.append(box)
    wanted = [item for item in hunt.found if region.wants(item.k0)]
    return Search(tuple(wanted), tuple(settled), tuple(unsettled), hunt.looks, tuple(strangers))


def around(
    problem: BlockProblem, region: Region, place: complex, radius: float, known: Sequence[Resonance]
) -> Search:
    """All poles within ``radius`` of one place (1/nm), on the sheets of a region; no threshold may be that near."""
    near = Region(
        place.real - radius, place.real + radius, place.imag - radius, place.imag + radius,
        inside=region.inside, centre=place, half_re=radius, half_im=radius,
    )  # fmt: skip
    return search(problem, near, known=known)


def is_of_sheet(item: Resonance, region: Region) -> bool:
    """Whether a resonance has those channels open that are open in a region: only then it is a zero of D there."""
    up, down = item.problem.open_at(region.inside)
    return np.array_equal(item.sheets.up, up) and np.array_equal(item.sheets.down, down)


Samples = tuple[Curve, Array, Array]
"""A curve, the probed response (points, probes, probes) and log D (points,) along it."""


@dataclass
class _Hunt:
    """The zeros of D known so far in a region: resonances on the physical sheet, and others (u, order)."""

    problem: BlockProblem
    region: Region
    found: list[Resonance]
    others: list[complex] = field(default_factory=list)
    looks: int = 0

    def is_wanted(self, box: Region) -> bool:
        """Whether a box touches the wanted part of the k0 plane, on the physical sheet."""
        side = np.linspace(-1.0, 1.0, 9)
        u = box.centre + (box.half_re * side[:, None] + 1j * box.half_im * side[None, :]).ravel()
        k0 = box.k0(u)
        near = 0.3 * (np.abs(box.slope(u)) * (box.half_re + box.half_im))
        wanted = (k0.real > box.low - near) & (k0.real < box.high + near)
        return bool((wanted & (k0.imag > box.bottom - near) & (k0.imag < box.top + near)).any())

    def settle(self, box: Region) -> bool:
        """Search a box until the count agrees; False where it does not."""
        samples = None
        for count in _SAMPLES:
            curve = curve_around(box, count)
            samples = self._sampled(box, curve, samples)
            turns, roughness = self._searched(box, samples)
            if turns == 0 and roughness < TURN and not self._strays(box):
                return True
            if count >= _ENOUGH and not TURN < roughness < 2.0 * TURN:
                break
        assert samples is not None
        curve, _, log_d = samples
        turns, roughness = self._turns(box, curve, log_d)
        for more in (self._resolve, self._look_elsewhere):
            if turns > 0 and roughness < TURN:
                more(box, curve)
                turns, roughness = self._turns(box, curve, log_d)
        return turns == 0 and roughness < TURN and not self._strays(box)

    def _searched(self, box: Region, samples: Samples) -> tuple[int, float]:
        """Take the poles of the response, go after what the count misses, and count."""
        curve, _, log_d = samples
        self._look(box, samples)
        turns, roughness = self._turns(box, curve, log_d)
        if turns != 0 and roughness < _GUESS:
            self._pursue(box, curve, extra=min(max(turns, 0), 8))
            turns, roughness = self._turns(box, curve, log_d)
        return turns, roughness

    def _strays(self, box: Region) -> bool:
        """Whether a zero of D that is wanted would not polish to a resonance: it is there, and unknown."""
        inside = [u for u in self.others if box.distance(u) <= 1.0 and self._is_physical(box, u)]
        return any(self.region.wants(complex(box.k0(np.asarray(u))), margin=-1e-6) for u in inside)

    @staticmethod
    def _is_physical(box: Region, u: complex) -> bool:
        """Whether a point of the u plane lies on the sheet on which the half-spaces radiate."""
        return box.left is box.right is None or abs(box.u(complex(box.k0(np.asarray(u)))) - u) < 1e-6 * abs(
            box.half_re
        )

    # -- looking -------------------------------------------------------------------------------------------------

    def _look_elsewhere(self, box: Region, _curve: Curve) -> None:
        """Look from every other interface: what lies behind metal or a mirror shows there."""
        curve, others = curve_around(box, _SAMPLES[-2]), self.others
        for interface in range(len(self.problem.stack.layers) + 1):
            if interface != self.problem.interface:
                self._look(box, self._sampled(box, curve, None, self.problem.met_at(interface)), sure=True)
        self.others = others

    def _sampled(
        self, box: Region, curve: Curve, coarser: Samples | None, problem: BlockProblem | None = None
    ) -> Samples:
        """Probed response and log D on a curve; what a curve of half as many points gave is taken from there."""
        fresh = slice(None) if coarser is None else slice(1, None, 2)
        u, problem = curve.u[fresh], problem or self.problem
        sides = problem.sides(box.k0(u), region_sheets(problem, box, u), counting=True)
        matrix = problem.joined(sides)
        probe = _probe(problem.size)
        response = probe.T @ np.linalg.solve(matrix, np.broadcast_to(probe, (len(u), *probe.shape)))
        log_d = self._count(sides, matrix, box.k0(u))
        self.looks += len(u)
        if coarser is None:
            return curve, response, log_d
        return curve, woven(coarser[1], response), woven(coarser[2], log_d)

    def _look(self, box: Region, samples: Samples, *, sure: bool = False) -> None:
        """Admit the poles of the response on a curve."""
        curve, response, _ = samples
        self.others = []
        level = float(np.median(np.abs(response))) * curve.radius
        model = loewner_poles(curve.u, response)
        if not model.resolved:
            return
        strength = np.abs(model.residues).max(axis=(1, 2))
        for index in np.argsort(-strength):
            u = complex(model.poles[index])
            if strength[index] > _FAINTEST * level and box.distance(u) < 2.0:
                self._admit(box, u, sure=sure)

    def _admit(self, box: Region, u: complex, *, within: float = 0.1, sure: bool = False) -> None:
        """Take a candidate as a resonance if it polishes to one ``within`` a share of the box, else as another zero.

        One that is ``sure`` to be a zero of D is polished from every interface until one sees it.
        """
        size = max(box.half_re, box.half_im)
        if self._is_known(box, u):
            return
        k0 = complex(box.k0(np.asarray(u)))
        if self._is_physical(box, u) and self.region.wants(k0, margin=0.01):
            reach = within * size * max(abs(complex(box.slope(np.asarray(u)))), size)
            resonance = self._polished(k0, reach, everywhere=sure)
            if resonance is not None and self.region.wants(resonance.k0):
                if not self._is_known(box, box.u(resonance.k0)):
                    self.found.append(resonance)
                return
        if all(abs(u - other) > 1e-4 * size for other in self.others):
            self.others.append(u)

    def _polished(self, k0: complex, reach: float, *, everywhere: bool) -> Resonance | None:
        """The resonance at a candidate, met where its field is strongest."""
        sheets = Sheets(*self.problem.open_at(self.region.inside))
        own = self.problem.interface
        others = (i for i in range(len(self.problem.stack.layers) + 1) if i != own)
        for interface in (own, *(others if everywhere else ())):
            found = polish(self.problem.met_at(interface), k0, reach=reach, accept=1e-10, sheets=sheets)
            self.looks += 3
            if found is not None:
                best = found.strongest_interface()
                if best == interface:
                    return found
                near = 1e-7 * abs(found.k0)  # not on to a neighbour
                closer = polish(self.problem.met_at(best), found.k0, reach=near, accept=1e-10, sheets=sheets)
                return closer or found
        return None

    def _is_known(self, box: Region, u: complex) -> bool:
        """Whether a zero is that of a known resonance: nearer than 1e-5 of the box, which cuts make smaller."""
        size = max(box.half_re, box.half_im)
        k0 = complex(box.k0(np.asarray(u)))
        return any(
            abs(u - box.u(item.k0)) < 1e-5 * size or abs(k0 - item.k0) < SAME * abs(k0) for item in self.found
        )

    def _pursue(self, box: Region, curve: Curve, *, extra: int) -> None:
        """Bring the zeros that are no wanted resonances to D's own zeros, and go after ``extra`` missing ones.

        All at once, each repelled by the others and by those that are known (O. Aberth, Math. Comp. 27, 339 (1973)).
        """
        angles = 2.4 * np.arange(extra)
        seeds = box.centre + 0.6 * np.sqrt((np.arange(extra) + 0.5) / max(extra, 1)) * (
            box.half_re * np.cos(angles) + 1j * box.half_im * np.sin(angles)
        )
        z = np.concatenate([np.array(self.others, dtype=complex), seeds])
        z = z[box.distance(z) < NEAR]
        each = self.problem.block.irrep.zeros
        known = self._zeros(box, others=False)
        moved = np.full(len(z), np.inf)
        for _ in range(_PURSUIT):
            if not len(z) or (moved < 1e-5 * curve.radius).all():
                break
            with np.errstate(all="ignore"):  # one that hits a zero, or runs away, leaves as NaN
                move = -each / self._slope_apart(
                    box, z, known, each, step=1e-6 * max(box.half_re, box.half_im)
                )
                move *= np.minimum(1.0, 0.5 * curve.radius / np.abs(move))
            z, moved = z + move, np.abs(move)
            stays = np.isfinite(z) & (box.distance(np.where(np.isfinite(z), z, 0.0)) < 2.0)
            z, moved = z[stays], moved[stays]
        self.others = [u for u in self.others if box.distance(u) >= NEAR]
        for u in z[moved < 1e-4 * curve.radius]:
            self._admit(box, complex(u), within=1e-3, sure=True)

    def _slope_apart(
        self, box: Region, z: Array, known: Sequence[tuple[complex, int]], each: int, *, step: float
    ) -> Array:
        """d log D / du at points z, without what known zeros and the other points make of it."""
        beside: Array = self._log_d(box, np.concatenate([z - step, z + step]))
        change: Array = beside[len(z) :] - beside[: len(z)]
        change -= 2j * math.pi * np.round(change.imag / (2.0 * math.pi))
        slope = np.tanh(0.5 * change) / step  # (D₊ - D₋) / (D₊ + D₋) / step: right at a zero, too
        for at, order in known:
            slope -= order / (z - at)
        apart = z[:, None] - z[None, :] + np.where(np.eye(len(z)), np.inf, 0.0)
        return slope - each * np.sum(1.0 / apart, axis=1)

    # -- counting ------------------------------------------------------------------------------------------------

    def _zeros(self, box: Region, *, others: bool = True) -> list[tuple[complex, int]]:
        """Known zeros (and poles, negative) of D in the plane of u, with their orders."""
        each = self.problem.block.irrep.zeros
        known = [(box.u(item.k0), item.multiplicity * each) for item in self.found] + edge_poles(
            self.problem, box
        )
        return known + [(u, each) for u in self.others] if others else known

    def _turns(self, box: Region, curve: Curve, log_d: Array) -> tuple[int, float]:
        """How often D without its known zeros turns around zero along the curve, and its largest turn in one step."""
        rest = log_d.copy()
        for u, order in self._zeros(box):
            rest -= order * np.log(curve.u - u)
        return winding(curve.u, rest)

    def _log_d(self, box: Region, u: Array) -> Array:
        sides = self.problem.sides(box.k0(u), region_sheets(self.problem, box, u), counting=True)
        self.looks += len(u)
        return self._count(sides, self.problem.joined(sides), box.k0(u))

    def _count(self, sides: Sides, matrix: Array, k0: Array) -> Array:
        return self.problem.log_count(sides, matrix, k0, highest_k0=self.region.high)

    def _resolve(self, box: Region, curve: Curve) -> None:
        """Zeros that share one place: look at each known one again on ever smaller circles around it.

        What even the smallest does not part is one resonance several times: the folded ones of a supercell.
        """
        each = self.problem.block.irrep.zeros
        others = self.others
        near = [
            item for item in self.found if self.region.wants(item.k0) and box.distance(box.u(item.k0)) < NEAR
        ]
        if not near:
            return
        spokes = _RINGS[0] * curve.radius * np.exp(2j * math.pi * np.arange(6) / 6)
        log_d = self._log_d(box, np.add.outer([box.u(item.k0) for item in near], spokes).ravel())
        for item, around_it in zip(near, log_d.reshape(len(near), -1), strict=True):
            u = box.u(item.k0)
            if not self._turns(box, Curve(u + spokes, spokes, u, abs(spokes[0])), around_it)[0]:
                continue
            left = 0
            for size in _RINGS:
                ring = replace(box, centre=u, half_re=size * curve.radius, half_im=size * curve.radius)
                small = curve_around(ring, 16)
                samples = self._sampled(ring, small, None)
                self._look(ring, samples)
                turns, roughness = self._turns(ring, small, samples[2])
                if roughness > TURN:
                    break  # D of several zeros drowns in rounding so near to them
                left = turns
                if turns <= 0:
                    break
            if left > 0:
                index = next(i for i, known in enumerate(self.found) if known is item)
                self.found[index] = replace(item, multiplicity=item.multiplicity + left // each)
        self.others = others


def _probe(size: int) -> Array:
    """Fixed, well-spread probing columns: the outcome of a search never depends on chance."""
    columns = min(size, _PROBES)
    i, j = np.arange(size)[:, None], np.arange(columns)[None, :]
    return np.cos((1.0 + 0.37 * i) * (1.3 + 0.61 * j) + 0.7 * j)
