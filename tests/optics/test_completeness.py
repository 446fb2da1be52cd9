"""The proof of completeness can fail, and thresholds inside the window do not hide poles."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from cavitydesign import units
from cavitydesign.optics.patterned import completeness
from cavitydesign.optics.patterned.completeness import regions, search
from cavitydesign.optics.patterned.search import curve_around
from tests.optics.cells import WINDOW, block_problem, circle, film_cell, layer, stack


def _searched(problem, window_nm=WINDOW, q_min=5.0):
    parts = regions(problem, window_nm, q_min=q_min, amplifying=False)
    return parts, [search(problem, part) for part in parts]


@pytest.mark.parametrize("label", ["A1", "A2", "B1", "B2", "E"])
def test_proof_fails_when_a_pole_is_left_out(label):
    """The proof itself, fed with all poles but one: what remains of the moments is of the size of that pole."""
    problem = block_problem(film_cell(), label)
    (region,), (found,) = _searched(problem)
    assert found.complete
    assert found.resonances
    curve = curve_around(region, 64)
    sheets = completeness._region_sheets(problem, region, curve.u)
    probe = completeness._probe(problem.size)
    response = probe.T @ np.linalg.solve(
        problem.matrix(region.k0(curve.u), sheets), np.broadcast_to(probe, (64, *probe.shape))
    )
    poles = list(found.resonances)

    def outside():
        model = completeness.loewner_poles(curve.u, response)
        level = float(np.median(np.abs(response)))
        return completeness._polished(problem, region, curve, model.poles, model.residues, level)[1]

    beyond = outside()
    honest, _ = completeness._remainder(curve, region, response, poles, beyond, probe)
    assert honest < completeness._PROVEN
    for missing in range(len(poles)):
        rest = poles[:missing] + poles[missing + 1 :]
        remainder, _ = completeness._remainder(curve, region, response, rest, beyond, probe)
        assert remainder > 100.0 * completeness._PROVEN


def test_incomplete_search_says_so(monkeypatch):
    """Where polishing refuses one pole, the search ends incomplete instead of silent."""
    problem = block_problem(film_cell(), "E")
    (region,), (whole,) = _searched(problem)
    hidden = whole.resonances[0].k0
    honest = completeness.polish

    def refuses(problem, start, **options):
        found = honest(problem, start, **options)
        return None if found is None or abs(found.k0 - hidden) < 1e-9 * abs(hidden) else found

    monkeypatch.setattr(completeness, "polish", refuses)
    result = search(problem, region)
    assert not result.complete
    assert result.remainder > completeness._PROVEN
    assert len(result.resonances) == len(whole.resonances) - 1


def test_a_ghost_fails_the_proof():
    """A pole that is not there, subtracted beside the true one, is as bad as a missing one."""
    problem = block_problem(film_cell(), "B2")
    (region,), (found,) = _searched(problem)
    (true,) = found.resonances
    ghost = replace(true, k0=true.k0 * (1.0 + 0.01))
    curve = curve_around(region, 64)
    sheets = completeness._region_sheets(problem, region, curve.u)
    probe = completeness._probe(problem.size)
    response = probe.T @ np.linalg.solve(
        problem.matrix(region.k0(curve.u), sheets), np.broadcast_to(probe, (64, *probe.shape))
    )
    remainder, weakest = completeness._remainder(curve, region, response, [true, ghost], [], probe)
    assert remainder > 0.5 * weakest > 100.0 * completeness._PROVEN


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
        sheets = completeness._region_sheets(problem, region, u)
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
    """Two equal slabs 700 nm apart: their dark modes pair up, and the far one's is found too."""
    radius = math.sqrt(0.3 / math.pi) * 360.0
    slabs = [
        layer(2.0, 170.0, circle(1.85, radius)),
        layer(1.46, 700.0),
        layer(2.0, 170.0, circle(1.85, 1.1 * radius)),
    ]
    problem = block_problem(stack(slabs), "A2")
    views = problem.viewpoints(2.0 * math.pi / 630.0)
    assert len(views) == 2
    seen = [_searched(problem.met_at(view))[1][0] for view in views]
    assert all(result.complete for result in seen)
    k0 = [item.k0.real for result in seen for item in result.resonances]
    apart = [k for i, k in enumerate(k0) if all(abs(k - other) > 1e-6 * k for other in k0[:i])]
    assert len(apart) == 2
