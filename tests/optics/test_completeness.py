"""The proof of completeness can fail, and thresholds inside the window do not hide poles."""

import itertools
import math

import numpy as np
import pytest

from cavitydesign import units
from cavitydesign.optics.patterned import completeness, counting
from cavitydesign.optics.patterned.completeness import search
from cavitydesign.optics.patterned.regions import region_sheets, regions
from cavitydesign.optics.patterned.resonance import polish
from cavitydesign.optics.patterned.search import curve_around
from tests.optics.cells import WINDOW, block_problem, circle, film_cell, layer, stack


def _searched(problem, window_nm=WINDOW, q_min=5.0):
    parts = regions(problem, window_nm, q_min=q_min, amplifying=False)
    return parts, [search(problem, part) for part in parts]


def _log_d(problem, region, u):
    sides = problem.sides(region.k0(u), region_sheets(problem, region, u), counting=True)
    return problem.log_count(sides, problem.joined(sides), region.k0(u), highest_k0=region.high)


@pytest.mark.parametrize("label", ["A1", "A2", "B1", "B2", "E"])
def test_the_count_is_that_of_the_poles(label):
    """Uncorrected, D turns around zero once for each pole inside the curve; with one left out it turns once."""
    problem = block_problem(film_cell(), label)
    (region, *_), (found, *_) = _searched(problem)
    assert found.complete
    assert found.resonances
    curve = curve_around(region, 128)
    log_d = _log_d(problem, region, curve.u)
    hunt = completeness._Hunt(problem, region, list(found.resonances))
    assert hunt.settle(region)
    turns, roughness = hunt._turns(region, curve, log_d)
    assert (turns, roughness < 1.0) == (0, True)
    for missing in range(len(found.resonances)):
        rest = completeness._Hunt(
            problem, region, [r for i, r in enumerate(found.resonances) if i != missing]
        )
        rest.others = list(hunt.others)
        assert rest._turns(region, curve, log_d)[0] == 1
        assert rest.settle(region)  # and is found again
        assert len(rest.found) == len(found.resonances)


@pytest.mark.parametrize("label", ["B1", "E"])
def test_the_characteristic_function_is_the_same_from_every_interface(label):
    """It turns as often whichever interface it is taken at, above, below and inside the stack."""
    layers = [layer(1.85, 80.0), layer(2.0, 170.0, circle(1.85, 110.0)), layer(2.3, 50.0)]
    problem = block_problem(stack(layers), label)
    region = regions(problem, WINDOW, q_min=5.0, amplifying=False)[0]
    u = curve_around(region, 16).u
    first = None
    for interface in range(4):
        sides = problem.met_at(interface).sides(
            region.k0(u), region_sheets(problem, region, u), counting=True
        )
        joined = problem.joined(sides)
        turned = counting.winding(
            u, problem.met_at(interface).log_count(sides, joined, region.k0(u), highest_k0=region.high)
        )
        first = first if first is not None else turned
        assert turned[0] == first[0]


def test_incomplete_search_says_so(monkeypatch):
    """Where polishing refuses one pole, the search ends incomplete instead of silent."""
    problem = block_problem(film_cell(), "E")
    (region, *_), (whole, *_) = _searched(problem)
    hidden = whole.resonances[0].k0
    honest = completeness.polish

    def refuses(problem, start, **options):
        found = honest(problem, start, **options)
        return None if found is None or abs(found.k0 - hidden) < 1e-9 * abs(hidden) else found

    monkeypatch.setattr(completeness, "polish", refuses)
    monkeypatch.setattr(completeness, "_CUTS", 1)
    result = search(problem, region)
    assert not result.complete
    assert any(box.distance(region.u(hidden)) <= 1.0 for box in result.open)
    assert len(result.resonances) == len(whole.resonances) - 1


@pytest.mark.parametrize("missing", [0, 1])
def test_a_count_is_carried_to_more_waves(missing):
    """The ratio of two bases turns by the poles that only one of them knows."""
    low, top = (block_problem(film_cell(), "E", waves=n) for n in (25, 81))
    (region, *_), (found, *_) = _searched(low)
    moved = [(r.k0, polish(top, r.k0).k0, 1) for r in found.resonances]
    assert counting.confirm(low, top, region, moved)
    lost = [(before, None if i == missing else after, n) for i, (before, after, n) in enumerate(moved)]
    assert not counting.confirm(low, top, region, lost)
    new = [(None if i == missing else before, after, n) for i, (before, after, n) in enumerate(moved)]
    assert not counting.confirm(low, top, region, new)
    ghost = moved[missing][0], moved[missing][1] * 1.02, 1
    assert not counting.confirm(low, top, region, [*moved, (None, ghost[1], 1)])


@pytest.mark.parametrize("interface", [0, 1, 2])
def test_a_cavity_behind_metal_is_counted_and_found(interface):
    """Two cavities with 300 nm of silver between: whatever the interface, both are there (exp(-24) apart)."""
    layers = [
        layer(2.0, 170.0, circle(1.85, 110.0)), layer(0.1 + 4.0j, 300.0), layer(1.46, 650.0), layer(0.1 + 4.0j, 40.0)
    ]  # fmt: skip
    problem = block_problem(stack(layers), "E").met_at(interface)
    results = _searched(problem, (560.0, 700.0))[1]
    assert all(item.complete for item in results)
    found = sorted(units.wavelength_nm_of(r.k0) for item in results for r in item.resonances)
    assert any(abs(x - 685.224) < 0.01 for x in found)
    assert any(abs(x - 599.203) < 0.01 for x in found)


@pytest.mark.parametrize(
    ("above", "below", "period", "thresholds"),
    [
        (1.0, 1.46, 360.0, 0),  # both cut off above the window
        (1.0, 1.46, 440.0, 1),  # substrate: 440 × 1.46 = 642 nm
        (1.46, 1.46, 440.0, 1),  # both at once
        (1.5, 1.46, 440.0, 2),  # 660 and 642 nm
        (1.0, 1.46 + 0.01j, 440.0, 1),  # an absorbing substrate: a complex threshold
    ],
)
def test_window_is_cut_at_its_thresholds(above, below, period, thresholds):
    """Regions meet at the thresholds, cover the window, and a search beside each threshold is complete."""
    problem = block_problem(film_cell(period_nm=period, above=above, below=below), "E")
    parts, found = _searched(problem)
    parts = [part for part in parts if part.top > 0.0]  # the plain regions below them aside
    assert len(parts) == thresholds + 1
    assert parts[0].low == pytest.approx(units.k0_per_nm(WINDOW[1]))
    assert parts[-1].high == pytest.approx(units.k0_per_nm(WINDOW[0]))
    for before, after in itertools.pairwise(parts):
        assert before.high == pytest.approx(after.low)
        assert before.right == after.left
        lengths = problem.length[problem.length > 0.0]
        eps = [
            complex(problem.stack.eps(np.asarray(before.right))[i])
            for i in (problem.stack.superstrate, problem.stack.substrate)
        ]
        assert min(abs(np.sqrt(e) * before.right - g) for e in eps for g in lengths) < 1e-9
    assert all(item.complete for item in found)


def test_regions_join_without_loss_or_double():
    """Pushing a threshold into the window and towards a mode by the substrate's index: it is found once, and moves."""
    counts, wavelengths = [], []
    for below in (1.46, 1.60, 1.67, 1.70):
        problem = block_problem(film_cell(below=below), "A2", window_nm=(600.0, 700.0))
        _, found = _searched(problem, (600.0, 700.0), 20.0)
        assert all(item.complete for item in found)
        k0 = [r.k0 for item in found for r in item.resonances]
        counts.append(len(k0))
        wavelengths.append(max(units.wavelength_nm_of(k) for k in k0))
    assert counts == [1, 1, 1, 1]
    assert np.all(np.diff(wavelengths) > 0.0)


@pytest.mark.parametrize("bound", ["left", "right"])
def test_response_is_meromorphic_across_the_threshold(bound):
    """In u the response has no cut: its rational model from 128 samples predicts it at the threshold itself."""
    problem = block_problem(film_cell(period_nm=440.0), "E")
    parts = regions(problem, WINDOW, q_min=20.0, amplifying=False)
    region = next(part for part in parts if getattr(part, bound) is not None)
    curve = curve_around(region, 128)
    probe = completeness._probe(problem.size)

    def response(u):
        sheets = region_sheets(problem, region, u)
        return probe.T @ np.linalg.solve(
            problem.matrix(region.k0(u), sheets), np.broadcast_to(probe, (len(u), *probe.shape))
        )

    f = response(curve.u)
    # Cauchy: the value at a point inside from the samples on the curve, poles taken out by the rational model
    model = completeness.loewner_poles(curve.u, f)
    for a in (0.02, 0.3):
        u = np.array([region.u(complex(region.high if bound == "right" else region.low)) + a * curve.radius])
        smooth = f - sum(
            r / (curve.u - p)[:, None, None] for p, r in zip(model.poles, model.residues, strict=True)
        )
        predicted = np.einsum("j,jlp->lp", curve.du / (curve.u - u), smooth)
        predicted = predicted + sum(
            r / (u - p)[:, None] for p, r in zip(model.poles, model.residues, strict=True)
        )
        np.testing.assert_allclose(predicted, response(u)[0], atol=2e-3 * np.abs(f).max())


def test_low_q_modes_beside_sharp_ones():
    """A leaky slab mode of Q about 6 and a dark line in one window: both there, with proof."""
    made = stack([layer(3.0, 500.0, circle(2.8, 60.0))], above=1.0, below=1.46)
    problem = block_problem(made, "E")
    _, found = _searched(problem)
    assert all(item.complete for item in found)
    q = [units.quality_factor(r.k0) for item in found for r in item.resonances]
    assert min(q) < 10.0
    assert max(q) > 500.0


def test_modes_far_from_the_interface_are_seen():
    """Two equal slabs 700 nm apart: their dark modes pair up, and the far one's is found too, from any interface."""
    radius = math.sqrt(0.3 / math.pi) * 360.0
    slabs = [
        layer(2.0, 170.0, circle(1.85, radius)),
        layer(1.46, 700.0),
        layer(2.0, 170.0, circle(1.85, 1.1 * radius)),
    ]
    problem = block_problem(stack(slabs), "A2")
    seen = [_searched(problem.met_at(view))[1][0] for view in (0, 2)]
    assert all(result.complete for result in seen)
    for result in seen:
        assert len(result.resonances) == 2
    first, second = (sorted(r.k0.real for r in result.resonances) for result in seen)
    np.testing.assert_allclose(first, second, rtol=1e-9)
