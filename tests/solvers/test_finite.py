"""The finite solver: what it refuses, how its losses add up, and what it says about itself."""

import math

import numpy as np
import pytest

from cavitydesign.errors import InputError, Status
from cavitydesign.geometry import design_from_dict
from cavitydesign.solvers.ask import solve
from cavitydesign.solvers.finite import Finite
from cavitydesign.solvers.poles import Poles

CIRCLE = {"shape": "circle", "radius_nm": 108.0, "material": {"n": 1.5}}
QUICK = Finite(poles=Poles(waves=45))
WINDOW = (605.0, 670.0)  # one TE-like family; of the TM-like one A1 lies outside


def slab(*, lattice=None, inclusions=(CIRCLE,), periods=(34, 34), film=None):
    content = {
        "name": "array",
        "family": "stack",
        "lattice": lattice or {"kind": "square", "period_nm": 360.0},
        "layers": [
            {"material": {"n": 1.0}},
            {
                "material": film or {"n": 2.2},
                "thickness_nm": 200.0,
                "gain": True,
                "inclusions": list(inclusions),
            },
            {"material": {"n": 1.46}},
        ],
    }
    if periods is not None:
        content["device"] = {"periods": list(periods)}
    return design_from_dict(content)


@pytest.fixture(scope="module")
def solution():
    return solve(slab(), QUICK, window_nm=WINDOW)


def test_fundamental_modes_of_the_band_edges(solution):
    modes = solution.modes
    assert solution.status is Status.APPROXIMATE
    assert solution.solver == "finite"
    assert list(modes["symmetry"]) == ["A2", "B2", "E"]
    assert list(modes["degeneracy"]) == [1, 1, 2]
    assert [record.band_edge for record in solution.details] == ["A", "B", "CD"]
    assert set(modes["polarization"]) == {"TE-like"}
    assert set(modes["order"]) == {2}
    assert np.all(modes["wavelength_err_nm"] >= 0.0)


def test_the_losses_add_up(solution):
    for row, record in zip(solution.modes, solution.details, strict=True):
        parts = 1.0 / row.q_up + 1.0 / row.q_down + 1.0 / row.q_absorbed + 1.0 / row.q_edges
        assert 1.0 / row.q == pytest.approx(parts, rel=1e-12)
        assert 1.0 / record.q_vertical == pytest.approx(1.0 / row.q_up + 1.0 / row.q_down, rel=1e-12)
        assert row.q_edges > 0.0
        assert sum(record.shares_even_odd_bright) == pytest.approx(1.0)


def test_threshold_is_the_loss_over_the_confinement(solution):
    """g = 2π n / (λ Q Γ); n = 2.2 is the film's index, which the solver reads off the bright mode, to order 1/Q."""
    for row in solution.modes:
        wanted = 2.0 * math.pi * 2.2 / (row.wavelength_nm * row.q * row.confinement) * 1e7
        assert row.threshold_gain_per_cm == pytest.approx(wanted, rel=0.01)


def test_gain_at_threshold_brings_the_array_mode_to_the_real_axis(solution):
    """An amplifying film against the threshold of the passive one: 1/Q falls to a few percent of itself."""
    row = solution.modes[0]
    kappa = row.threshold_gain_per_cm * row.wavelength_nm / (4.0 * math.pi * 1e7)
    pumped = solve(slab(film={"n": 2.2, "k": -kappa}), QUICK, window_nm=WINDOW).modes
    assert pumped[0].symmetry == "A2"
    assert abs(1.0 / pumped[0].q) < 0.05 / row.q


def test_absorption_is_told_apart(solution):
    lossy = solve(slab(film={"n": 2.2, "k": 1e-3}), QUICK, window_nm=WINDOW).modes
    clear, dim = solution.modes[0], lossy[0]
    assert clear.q_absorbed == math.inf
    assert dim.q_absorbed == pytest.approx(2.2 / (2.0 * 1e-3 * dim.confinement), rel=0.02)
    assert 1.0 / dim.q - 1.0 / dim.q_absorbed == pytest.approx(1.0 / clear.q, rel=0.03)


def test_a_large_array_has_the_modes_of_the_infinite_one():
    infinite = solve(slab(), QUICK.poles, window_nm=WINDOW).modes
    large = solve(slab(periods=(2000, 2000)), QUICK, window_nm=WINDOW).modes
    for row in large:
        gamma = [item for item in infinite if (item.symmetry, item.polarization) == (row.symmetry, "TE-like")]
        # (π/L)² v²/gap is 5e-6 of λ
        assert row.wavelength_nm == pytest.approx(gamma[0].wavelength_nm, rel=2e-5)
        assert row.confinement == pytest.approx(gamma[0].confinement, rel=0.02)
    assert large[2].q == pytest.approx(
        next(r.q for r in infinite if r.symmetry == "E" and r.polarization == "TE-like"), rel=0.02
    )


def test_a_rectangular_array_splits_the_pair():
    found = solve(slab(periods=(30, 60)), QUICK, window_nm=WINDOW)
    edges = [record.band_edge for record in found.details]
    assert edges[:2] == ["A", "B"]
    assert set(edges[2:]) <= {"C", "D"}
    assert set(found.modes["degeneracy"]) == {1}
    small, large = (solve(slab(periods=(n, n)), QUICK, window_nm=WINDOW).modes["q"][0] for n in (30, 60))
    assert 1.2 * small < found.modes["q"][0] < large / 1.2


def test_a_question_may_name_another_device_than_the_designs(solution):
    device = slab(periods=(34, 34)).device
    again = solve(slab(periods=None), QUICK, window_nm=WINDOW, device=device).modes
    assert list(again["q"]) == list(solution.modes["q"])


def test_an_incomplete_family_is_no_mode_and_says_what_is_missing():
    found = solve(slab(), QUICK, window_nm=(645.0, 670.0))
    assert found.status is Status.NO_MODES
    assert len(found.modes) == 0
    assert any("A2 657" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    ("design", "key"),
    [
        (slab(periods=None), "device.periods"),
        (slab(periods=(2, 2)), "device.periods"),
        (slab(inclusions=()), "layers"),
        (slab(lattice={"kind": "hexagonal", "period_nm": 360.0}), "lattice.kind"),
        (slab(lattice={"kind": "rectangular", "period_x_nm": 360.0, "period_y_nm": 380.0}), "lattice.kind"),
        (
            slab(inclusions=({"shape": "rectangle", "size_nm": [200.0, 120.0], "material": {"n": 1.5}},)),
            "layers",
        ),
    ],
)
def test_what_the_theory_does_not_hold_for_is_refused(design, key):
    with pytest.raises(InputError) as caught:
        solve(design, QUICK, window_nm=WINDOW)
    assert str(caught.value).startswith(key)


def test_a_bloch_wavevector_is_refused():
    with pytest.raises(InputError, match="bloch"):
        solve(slab(), Finite(), window_nm=WINDOW, bloch=(1e-3, 0.0))
