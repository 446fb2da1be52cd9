"""From a modes table to ranked lasing lines: required gain, ranking, dark modes, errors, JSON."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cavitydesign.errors import InputError
from cavitydesign.gain import coupler as cp
from cavitydesign.gain import shells as sp
from cavitydesign.gain.threshold import LineStatus
from cavitydesign.geometry import Emitter, Pump, SourcedNumber
from cavitydesign.geometry.emitter import GainTable
from cavitydesign.solvers.solution import Modes

LONG = Pump(wavelength_nm=532.0, pulse_ns=7.0, absorption_cross_section_cm2=1e-14)


def modes(**columns):
    defaults = {"q": 500.0, "confinement": 0.5, "symmetry": "E", "polarization": "TE", "degeneracy": 2}
    rows = len(columns["wavelength_nm"])
    return Modes.from_columns(
        **{name: [value] * rows for name, value in defaults.items() if name not in columns}, **columns
    )


MIXED = modes(
    wavelength_nm=[690.0, 670.0, 655.0, 640.0, 600.0, 540.0],
    threshold_gain_per_cm=[900.0, 5.0, 100.0, 0.0, math.nan, 50.0],
    q=[500.0, 400.0, 300.0, math.inf, math.nan, 100.0],
)


# -- the gain that a mode needs ----------------------------------------------------------------------------------


def test_required_gain_from_q_and_confinement():
    """k0 n/(QΓ) = 2π 1.85/(640e-7 cm × 100 × 0.5) = 3632.5 cm⁻¹."""
    table = modes(wavelength_nm=[640.0], q=[100.0])
    found = cp.required_gain_per_cm(table, film_index=1.85)[0]
    assert found == pytest.approx(2.0 * math.pi * 1.85 / (640e-7 * 100.0 * 0.5), rel=1e-13)
    assert found == pytest.approx(3632.466, rel=1e-6)


def test_that_formula_is_exact_where_the_film_is_the_whole_cavity():
    """Γ = 1: with n - iκ in a lossy box of optical length n L, loss 1/2Q and gain κ/n must cancel: g = 4πκ/λ."""
    n, q, wavelength = 1.9, 250.0, 640.0
    kappa = n / (2.0 * q)
    table = modes(wavelength_nm=[wavelength], q=[q], confinement=[1.0])
    expected = 4.0 * math.pi * kappa / (wavelength * 1e-7)
    assert cp.required_gain_per_cm(table, film_index=n)[0] == pytest.approx(expected, rel=1e-13)


def test_the_pole_solvers_own_threshold_gain_comes_first():
    table = modes(wavelength_nm=[640.0], threshold_gain_per_cm=[123.0])
    assert cp.required_gain_per_cm(table, film_index=1.85)[0] == 123.0


@pytest.mark.parametrize(
    ("columns", "index", "expected"),
    [
        ({"q": [math.inf]}, None, 0.0),
        ({"q": [math.nan]}, 1.85, math.nan),
        ({"confinement": [math.nan]}, 1.85, math.nan),
        ({"confinement": [0.0]}, 1.85, math.nan),
        ({"q": [500.0]}, None, math.nan),
        ({"q": [-500.0]}, 1.85, math.nan),
        ({"threshold_gain_per_cm": [-3.0]}, None, 0.0),
    ],
)
def test_required_gain_where_something_is_missing(columns, index, expected):
    table = modes(wavelength_nm=[640.0], **columns)
    np.testing.assert_array_equal(cp.required_gain_per_cm(table, film_index=index), [expected])


# -- ranking, dark modes, status ---------------------------------------------------------------------------------


def test_lines_are_ranked_by_threshold_with_those_that_have_none_last():
    lines = cp.couple(MIXED, Emitter(), Pump())
    bright = lines.value[lines.lasing & ~lines.dark]
    assert (np.diff(bright) > 0.0).all()
    assert list(lines.lasing) == sorted(lines.lasing, reverse=True)
    assert [s for s in lines.status if not s.has_threshold] == [
        LineStatus.NO_GAIN, LineStatus.UNKNOWN_LOSS, LineStatus.OUT_OF_BAND,
    ]  # fmt: skip
    np.testing.assert_array_equal(MIXED["wavelength_nm"][lines.mode_index], lines.wavelength_nm)
    assert [line.mode.wavelength_nm for line in lines] == list(lines.wavelength_nm)


def test_a_dark_mode_is_flagged_and_never_silently_first():
    table = modes(
        wavelength_nm=[656.0, 655.0, 654.0],
        q=[math.inf, 500.0, 5e7],
        outward_share=[0.0, 0.5, 1e-6],
        threshold_gain_per_cm=[math.nan, 200.0, 1e-3],
    )
    lines = cp.couple(table, Emitter(), Pump(), errors=False)
    assert list(lines.dark) == [False, True, True]
    assert lines.value[0] > lines.value[1]  # it would be first by the number alone
    assert all("lower bound" in lines[row].note for row in (1, 2))
    assert lines[0].note == ""
    by_number = cp.couple(table, Emitter(), Pump(), errors=False, dark_last=False)
    assert (np.diff(by_number.value) > 0.0).all()
    assert by_number.dark[0]


def test_a_dark_mode_lases_at_transparency():
    lines = cp.couple(modes(wavelength_nm=[655.0], q=[math.inf]), Emitter(), Pump(), errors=False)
    assert lines.pairs_per_shell[0] == lines.transparency_pairs[0]
    gain = sp.gain_spectrum(Emitter(), 655.0, lines.pairs_per_shell[0])[0]
    assert gain == pytest.approx(0.0, abs=1e-6)


def test_modes_of_a_method_that_knows_no_loss_still_get_a_transition():
    """The Bragg solver leaves Q and threshold gain open."""
    lines = cp.couple(modes(wavelength_nm=[672.0, 605.0], q=[math.nan] * 2), Emitter(), Pump())
    assert set(lines.status) == {LineStatus.UNKNOWN_LOSS}
    assert list(lines.transition) == ["X", "MX"]
    assert np.isnan(lines.value).all()
    assert np.isnan(lines.value_err).all()
    assert np.isfinite(lines.transparency_pairs).all()


def test_a_given_threshold_holds_for_every_mode_in_the_gain_band():
    lines = cp.couple(MIXED, Emitter(threshold_pairs=2.0), Pump(), errors=False)
    given_lines = [row for row, status in enumerate(lines.status) if status is LineStatus.GIVEN]
    assert given_lines
    assert all(lines.pairs_per_shell[row] == 2.0 for row in given_lines)
    assert "threshold_pairs" in lines[given_lines[0]].note
    order = lines.transparency_pairs[[row for row in given_lines if not lines.dark[row]]]
    assert (np.diff(order) > 0.0).all()


def test_no_modes_no_lines():
    lines = cp.couple(Modes.empty(), Emitter(), Pump())
    assert len(lines) == 0
    assert list(lines) == []


@pytest.mark.parametrize(
    ("pump", "unit"), [(Pump(), "uJ/cm2"), (Pump(photons=2, wavelength_nm=800.0), "mJ/cm2"), (LONG, "kW/cm2")]
)
def test_each_pump_answers_in_its_own_unit(pump, unit):
    lines = cp.couple(MIXED, Emitter(), pump, errors=False)
    assert lines.unit == unit
    assert lines.lasing.sum() >= 3
    assert (lines.value[lines.lasing] > 0.0).all()


def test_two_photon_threshold_goes_with_the_root_of_the_pairs():
    table = modes(wavelength_nm=[655.0, 630.0], threshold_gain_per_cm=[20.0, 20.0])
    lines = cp.couple(table, Emitter(), Pump(photons=2, wavelength_nm=800.0), errors=False)
    ratio = lines.pairs_per_shell[1] / lines.pairs_per_shell[0]
    assert lines.value[1] / lines.value[0] == pytest.approx(math.sqrt(ratio), rel=1e-9)


def test_cooling_moves_which_transition_a_line_belongs_to():
    """X goes from 670 nm to 653 nm: at 652 nm a line is XX when warm, X when cold; at 675 nm cold gain is weak."""
    table = modes(wavelength_nm=[675.0, 652.0], threshold_gain_per_cm=[5.0, 5.0])
    warm, cold = (cp.couple(table, Emitter(temperature_k=t), Pump(), errors=False) for t in (293.0, 77.0))
    warm_of, cold_of = (dict(zip(x.wavelength_nm, x.transition, strict=True)) for x in (warm, cold))
    assert warm_of[652.0] == "XX"
    assert cold_of[652.0] == "X"
    assert warm_of[675.0] == "X"
    cold_status = dict(zip(cold.wavelength_nm, cold.status, strict=True))
    assert cold_status[675.0] is LineStatus.NO_GAIN


@given(st.lists(st.tuples(st.floats(450.0, 900.0), st.floats(0.0, 1e4), st.floats(1.0, 1e9)), max_size=8))
def test_every_line_has_a_number_or_a_reason(rows):
    table = modes(
        wavelength_nm=[row[0] for row in rows],
        threshold_gain_per_cm=[row[1] for row in rows],
        q=[row[2] for row in rows],
    )
    lines = cp.couple(table, Emitter(), Pump(), errors=False)
    assert len(lines) == len(rows)
    for row, status in enumerate(lines.status):
        assert np.isfinite(lines.value[row]) == status.has_threshold
        assert np.isfinite(lines.pairs_per_shell[row]) == status.has_threshold
        assert status is LineStatus.LASES or lines[row].note


# -- errors ------------------------------------------------------------------------------------------------------


def test_the_error_of_the_cross_section_is_that_of_its_inverse():
    """Value ∝ 1/σ: half of 1/(1 - r) - 1/(1 + r) times the value, and no error of ⟨N⟩."""
    record = SourcedNumber(
        path="emitter.absorption_cross_section_cm2", value=1.7e-13, source="assumed", plus_minus=0.5e-13
    )
    lines = cp.couple(MIXED, Emitter(), Pump(), sources=[record])
    r = 0.5 / 1.7
    row = 0
    expected = lines.value[row] * 0.5 * (1.0 / (1.0 - r) - 1.0 / (1.0 + r))
    (only,) = lines.contributions[row]
    assert only.input == record.path
    assert only.value_err == pytest.approx(expected, rel=1e-9)
    assert only.pairs_err == 0.0
    assert lines.value_err[row] == only.value_err
    assert lines.pairs_err[row] == 0.0


def test_contributions_add_in_squares_and_stand_in_order():
    lines = cp.couple(MIXED, Emitter(), Pump())
    for row in np.flatnonzero(lines.lasing):
        parts = [c.value_err for c in lines.contributions[row]]
        assert parts == sorted(parts, reverse=True)
        assert lines.value_err[row] == pytest.approx(math.sqrt(math.fsum(x * x for x in parts)), rel=1e-12)
        assert lines.pairs_err[row] > 0.0


def test_an_input_that_could_stop_lasing_is_named():
    """Needing 200 cm⁻¹ of the few hundred there are at 655 nm, a cross-section 75 % smaller cannot do it."""
    lines = cp.couple(modes(wavelength_nm=[655.0], threshold_gain_per_cm=[200.0]), Emitter(), Pump())
    assert "emitter.band_edge_cross_section_cm2" in lines.lost_if[0]
    assert "emitter.band_edge_cross_section_cm2" in lines[0].note
    assert np.isfinite(lines.value_err[0])


def test_a_side_that_would_not_be_allowed_is_left_out():
    """transmission = 1 ± 0.3: only 0.7 exists, and the threshold at 0.7 is 1/0.7 of the value."""
    record = SourcedNumber(path="pump.transmission", value=1.0, source="assumed", plus_minus=0.3)
    lines = cp.couple(MIXED, Emitter(), Pump(), sources=[record])
    assert lines.value_err[0] == pytest.approx(lines.value[0] * (1.0 / 0.7 - 1.0), rel=1e-9)
    assert lines.lost_if[0] == ()


def test_a_pump_wavelength_without_a_cross_section_is_left_out_too():
    record = SourcedNumber(path="pump.wavelength_nm", value=400.0, source="assumed", plus_minus=30.0)
    lines = cp.couple(MIXED, Emitter(), Pump(), sources=[record])
    assert lines.contributions[0] == ()


@pytest.mark.parametrize(
    "path", ["film.material.n", "emitter.nothing", "emitter.spectrum", "emitter.stokes_shift_mev", "lattice"]
)
def test_records_of_other_numbers_are_not_its_business(path):
    record = SourcedNumber(path=path, value=1.0, source="assumed", plus_minus=0.5)
    lines = cp.couple(MIXED, Emitter(), Pump(), sources=[record])
    assert lines.contributions[0] == ()
    assert lines.value_err[0] == 0.0


def test_defaults_are_found_by_value_also_after_replace():
    """``replace`` writes every field; a number that stands at its default still carries the default's uncertainty."""
    records = {r.path: r for r in cp.default_records(Emitter().replace(temperature_k=77.0), Pump())}
    assert records["emitter.volume_fraction"].plus_minus == 0.15
    assert "pump.transmission" in records
    changed = {r.path for r in cp.default_records(Emitter(volume_fraction=0.6), Pump())}
    assert "emitter.volume_fraction" not in changed


def test_lifetimes_matter_for_long_pulses_only():
    short, long = (cp.couple(MIXED, Emitter(), pump) for pump in (Pump(), LONG))
    assert "emitter.biexciton_auger_ns" not in {c.input for c in short.contributions[0]}
    assert "emitter.biexciton_auger_ns" in {c.input for c in long.contributions[0]}


def test_errors_can_be_left_out():
    lines = cp.couple(MIXED, Emitter(), Pump(), errors=False)
    assert np.isnan(lines.value_err).all()
    assert lines.contributions[0] == ()


# -- measured gain, JSON -----------------------------------------------------------------------------------------


def test_measured_gain_replaces_the_model():
    table = GainTable(
        table="gain.csv",
        level="pairs_per_shell",
        levels=(1.0, 1.0, 3.0, 3.0),
        wavelengths_nm=(600.0, 700.0, 600.0, 700.0),
        gain_per_cm=(-100.0, -100.0, 100.0, 100.0),
    )
    lines = cp.couple(
        modes(wavelength_nm=[650.0], threshold_gain_per_cm=[50.0]), Emitter(spectrum=table), Pump()
    )
    assert lines.pairs_per_shell[0] == pytest.approx(2.5, rel=1e-10)
    assert "emitter.inhomogeneous_fwhm_mev" not in {c.input for c in lines.contributions[0]}
    assert "emitter.absorption_cross_section_cm2" in {c.input for c in lines.contributions[0]}


def test_records_are_those_of_the_interface_and_plain_json():
    lines = cp.couple(MIXED, Emitter(), Pump())
    again = json.loads(json.dumps([line.record() for line in lines], allow_nan=False))
    assert [line["rank"] for line in again] == [1, 2, 3, None, None, None]
    first, last = again[0], again[-1]
    assert {"wavelength_nm", "transition", "threshold", "mode"} <= set(first)
    assert {"value", "unit", "pairs_per_shell"} <= set(first["threshold"])
    assert first["mode"]["wavelength_nm"] == first["wavelength_nm"]
    assert last["threshold"]["value"] is None
    assert last["transition"] is None
    assert last["status"] == "out_of_band"
    assert last["note"]


def test_a_pump_that_cannot_pump_is_an_input_error():
    with pytest.raises(InputError, match=r"pump\.wavelength_nm"):
        cp.couple(MIXED, Emitter(), Pump(wavelength_nm=690.0, absorption_cross_section_cm2=1e-15))


def test_a_line_is_one_typed_value_and_its_columns_are_the_same_numbers():
    lines = cp.couple(MIXED, Emitter(), Pump())
    assert len(list(lines)) == len(lines)
    assert [line.threshold.value for line in lines][:3] == list(lines.value[:3])
    assert [line.rank for line in lines] == [1, 2, 3, None, None, None]
    assert lines[-1].wavelength_nm == lines.wavelength_nm[-1]
    assert lines[0].threshold.unit == "uJ/cm2"
    assert [line.mode.wavelength_nm for line in lines] == [line.wavelength_nm for line in lines]
    with pytest.raises(IndexError):
        lines[6]


def test_lines_show_themselves_as_a_table_with_a_rank_where_they_lase():
    rows = cp.couple(MIXED, Emitter(), Pump())._repr_html_().split("<tr>")[2:]
    assert [row.split("</td>")[0] for row in rows] == ["<td>1", "<td>2", "<td>3", "<td>-", "<td>-", "<td>-"]
