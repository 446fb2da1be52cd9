"""The pole solver as a whole: its table, its statuses, and whatever stack it is given."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cavitydesign.errors import InputError, Status
from cavitydesign.geometry.stack import Stack
from cavitydesign.optics.patterned import completeness
from cavitydesign.solvers.ask import solve
from cavitydesign.solvers.poles import Poles
from cavitydesign.solvers.solution import MODE_COLUMNS
from tests.optics.cells import WINDOW, circle, film_cell, layer, stack


@pytest.fixture(scope="module")
def reference():
    return solve(film_cell(), Poles(), window_nm=WINDOW)


# λ, Q, symmetry, degeneracy: converged at 800 plane waves, where the last doubling moved λ by < 0.002 nm
REFERENCE = [
    (631.1845, math.inf, "A2", 1, "TE-like"),
    (630.3150, 1308.6, "E", 2, "TE-like"),
    (630.0655, math.inf, "B2", 1, "TE-like"),
    (607.0501, math.inf, "B1", 1, "TM-like"),
    (602.3005, 15300.0, "E", 2, "TM-like"),
    (596.9590, math.inf, "A1", 1, "TM-like"),
]


def test_reference_cell(reference):
    """Within the tolerance that was asked for (0.01 nm, 0.5 %) of the converged values, every error bar met."""
    assert reference.status is Status.OK
    assert len(reference.modes) == len(REFERENCE)
    for row, (wavelength, q, symmetry, degeneracy, polarization) in zip(
        reference.modes, REFERENCE, strict=True
    ):
        assert row.wavelength_nm == pytest.approx(wavelength, abs=0.01)
        assert row.q == pytest.approx(q, rel=0.005)
        assert (row.symmetry, row.degeneracy, row.polarization) == (
            symmetry,
            degeneracy,
            polarization,
        )
        assert row.wavelength_err_nm <= 0.01
        assert math.isinf(q) or row.q_err <= 0.005 * row.q
        assert 0.0 < row.confinement < 1.0
        assert row.k0_per_nm.real == pytest.approx(2.0 * math.pi / row.wavelength_nm, rel=1e-12)


def test_losses_and_records(reference):
    for row, record in zip(reference.modes, reference.modes.records(), strict=True):
        parts = sum(1.0 / getattr(row, name) for name in ("q_up", "q_down", "q_absorbed"))
        assert parts == pytest.approx(1.0 / row.q, rel=1e-9, abs=1e-15)
        assert set(record) == {*MODE_COLUMNS, "dark", "lossless"}
        assert (record["q"] is None) == math.isinf(row.q)
        assert row.threshold_gain_per_cm >= 0.0


def test_error_bars_cover_what_more_waves_change(reference):
    """The error bars of the default run hold against a run asked for twenty times more."""
    fine = solve(film_cell(), Poles(tolerance_nm=0.0008, q_tolerance=0.0005, max_waves=800), window_nm=WINDOW)
    for coarse, better in zip(reference.modes, fine.modes, strict=True):
        assert abs(coarse.wavelength_nm - better.wavelength_nm) <= 1.5 * coarse.wavelength_err_nm
        if math.isfinite(coarse.q):
            assert abs(coarse.q - better.q) <= 2.0 * coarse.q_err


def test_no_modes():
    solution = solve(film_cell(), Poles(), window_nm=(640.0, 700.0))
    assert solution.status is Status.NO_MODES
    assert len(solution.modes) == 0


def test_unconverged_when_the_waves_run_out():
    solution = solve(film_cell(), Poles(waves=49, tolerance_nm=1e-6), window_nm=WINDOW)
    assert solution.status is Status.UNCONVERGED
    assert len(solution.modes) > 0
    assert np.nanmax(solution.modes["wavelength_err_nm"]) > 1e-6


@pytest.mark.parametrize("most", [9, 13, 20])
def test_no_more_waves_than_allowed_are_tried(most):
    solution = solve(film_cell(), Poles(max_waves=most), window_nm=WINDOW)
    assert solution.provenance["waves"] < 25


@pytest.mark.parametrize("name", ["waves", "max_waves"])
def test_too_few_waves_for_every_symmetry_are_refused(name):
    with pytest.raises(InputError, match=f"{name}: must be at least 9"):
        Poles(**{name: 8})


def test_incomplete_when_the_count_disagrees(monkeypatch):
    monkeypatch.setattr(completeness, "polish", lambda *args, **options: None)
    solution = solve(film_cell(), Poles(), window_nm=WINDOW)
    assert solution.status is Status.INCOMPLETE
    assert not solution.status.trustworthy


def test_narrow_windows_find_what_wide_ones_do():
    """High contrast: λ moves by more than 1 % as waves are added; a window around the final λ must still find it."""
    pillars = stack([layer(1.85, 200.0, circle(3.87 + 0.016j, 70.0), gain=True)])
    asked = Poles(tolerance_nm=0.5, q_tolerance=0.05)
    wide = solve(pillars, asked, window_nm=(640.0, 750.0))
    for row in wide.modes:
        near = solve(pillars, asked, window_nm=(row.wavelength_nm - 1.0, row.wavelength_nm + 1.0))
        assert len(near.modes) >= 1


def test_angles_belong_to_uniform_stacks():
    with pytest.raises(InputError, match="angle"):
        solve(film_cell(), Poles(), angle_deg=10.0, window_nm=WINDOW)


def test_exact_threshold_is_close_to_first_order():
    first = solve(film_cell(film=1.85 + 0.001j), Poles(), window_nm=(625.0, 635.0)).modes
    exact = solve(film_cell(film=1.85 + 0.001j), Poles(exact_threshold=True), window_nm=(625.0, 635.0)).modes
    np.testing.assert_allclose(first["threshold_gain_per_cm"], exact["threshold_gain_per_cm"], rtol=0.01)
    dark = exact["symmetry"] != "E"
    # a dark mode loses only what the film itself takes: its gain at threshold is 4πκ/λ
    expected = 4e7 * math.pi * 0.001 / exact["wavelength_nm"][dark]
    np.testing.assert_allclose(exact["threshold_gain_per_cm"][dark], expected, rtol=1e-9)


def test_amplifying_film_gives_negative_q():
    """A gain above every threshold: all poles above the real axis, Q < 0, none lost."""
    modes = solve(film_cell(film=1.85 - 0.02j), Poles(), window_nm=(590.0, 640.0)).modes
    assert len(modes) == len(REFERENCE)
    assert (modes["q"] < 0.0).all()


def test_dispersive_film_matches_the_constant_one_at_its_wavelength():
    """A Cauchy film: the pole is that of a film with the index that it has at the pole."""
    cauchy = {"cauchy": {"a": 1.80, "b_um2": 0.02}}
    content = film_cell().model_dump(mode="json")
    content["layers"][1]["material"] = cauchy
    content["layers"][2]["inclusions"][0]["material"] = cauchy
    try:
        dispersive = solve(Stack.model_validate(content), Poles(waves=49), window_nm=(600.0, 660.0)).modes
    except InputError as error:  # pragma: no cover
        pytest.fail(str(error))
    row = next(mode for mode in dispersive if mode.symmetry == "A2")
    n = 1.80 + 0.02 / (1e-3 * row.wavelength_nm) ** 2
    constant = solve(film_cell(film=n), Poles(waves=49), window_nm=(600.0, 660.0)).modes
    same = next(mode for mode in constant if mode.symmetry == "A2")
    assert row.wavelength_nm == pytest.approx(same.wavelength_nm, rel=1e-9)


# -- any stack ------------------------------------------------------------------------------------------------------

index = st.builds(complex, st.floats(1.3, 2.6), st.sampled_from([0.0, 0.0, 0.003, 0.1, -0.002]))
shapes = st.one_of(
    st.builds(circle, index, st.floats(30.0, 110.0)),
    st.builds(
        lambda n, a, b, turn: {
            "shape": "rectangle", "size_nm": [a, b], "rotation_deg": turn, "material": {"n": n.real, "k": n.imag}
        },
        index, st.floats(40.0, 150.0), st.floats(40.0, 150.0), st.sampled_from([0.0, 45.0, 20.0]),
    ),
    st.builds(
        lambda n, r, k: {
            "shape": "polygon", "material": {"n": n.real, "k": n.imag},
            "vertices_nm": [[r * math.cos(2 * math.pi * j / k), r * math.sin(2 * math.pi * j / k)] for j in range(k)],
        },
        index, st.floats(40.0, 100.0), st.integers(3, 6),
    ),
)  # fmt: skip
patterned = st.builds(layer, index, st.floats(30.0, 250.0), shapes)
plain = st.builds(lambda n, d: layer(n, d, gain=True), index, st.floats(10.0, 200.0))
stacks = st.builds(
    lambda first, middle, rest, kind, period, above, below: stack(
        [*rest, first, *middle], kind=kind, period_nm=period, above=above, below=below
    ),
    patterned,
    st.lists(plain, max_size=1),
    st.lists(patterned, max_size=2),
    st.sampled_from(["square", "hexagonal"]),
    st.floats(260.0, 440.0),
    st.sampled_from([1.0, 1.33]),
    st.sampled_from([1.46, 1.46, 1.8, 3.87 + 0.016j]),
)


@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow], phases=[Phase.generate])
@given(subject=stacks)
def test_any_stack_is_solved_or_says_why(subject):
    """Finite numbers with proof, or a status that says what is missing; never a warning (they are errors here)."""
    solution = solve(subject, Poles(waves=25, q_min=10.0), window_nm=(600.0, 680.0))
    assert solution.status in (Status.OK, Status.NO_MODES, Status.INCOMPLETE, Status.UNCONVERGED)
    modes = solution.modes
    assert (solution.status is Status.NO_MODES) <= (len(modes) == 0)
    amplifying = any(
        item.material.k is not None and item.material.k < 0.0
        for part in subject.layers
        for item in (part, *part.inclusions)
        if hasattr(item.material, "k")
    )
    for row in modes:
        assert 600.0 <= row.wavelength_nm <= 680.0
        assert math.isfinite(row.k0_per_nm.imag)
        assert row.q >= 10.0 or (row.q < 0.0 and amplifying)
        assert not math.isnan(row.wavelength_err_nm) or solution.status is not Status.OK
