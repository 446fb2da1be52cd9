"""The coupler at its edges: which inputs move what, which ties break how, and what a line's record holds."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from cavitydesign.gain import Constant, LineStatus, couple, required_gain_per_cm
from cavitydesign.gain import coupler as cp
from cavitydesign.gain.lines import CavityContribution, Contribution, InputErrors, Threshold
from cavitydesign.gain.pump import Occupation, created_pairs, pumped_occupation
from cavitydesign.geometry import Emitter, Pump, SourcedNumber
from cavitydesign.geometry.emitter import GainTable
from cavitydesign.solvers.solution import Modes

LONG = Pump(wavelength_nm=532.0, pulse_ns=7.0, absorption_cross_section_cm2=1e-14)


def modes(*wavelengths, gain=50.0, q=500.0, **columns):
    count = len(wavelengths)
    numbers = {
        name: value if isinstance(value, list) else [value] * count
        for name, value in {"threshold_gain_per_cm": gain, "q": q, "confinement": 0.5, **columns}.items()
    }
    return Modes.from_columns(wavelength_nm=list(wavelengths), **numbers)


def linear(emitter):
    """⟨N⟩ = further_shift/10 + g/(100 p_strength): 1 + g/100 by default."""
    return Constant(100.0 * emitter.p_strength, emitter.further_shift_mev / 10.0, (600.0, 700.0))


def source(path, plus_minus):
    return SourcedNumber(path=path, value=1.0, source="assumed", plus_minus=plus_minus)


def test_errors_are_propagated_and_dark_modes_stand_last_unless_told_otherwise():
    lines = couple(modes(650.0, 640.0, gain=[1.0, 50.0], outward_share=[0.0, 0.5]), Emitter(), Pump())
    assert lines.wavelength_nm.tolist() == [640.0, 650.0]
    assert (lines.value_err > 0.0).all()
    assert lines.dark.tolist() == [False, True]


def test_half_the_range_of_sides_that_may_be_missing():
    """Half the distance of two sides, that of the one that exists to the base, or nothing."""
    sides = [np.array([1.0, np.nan, 3.0, np.nan, 2.0]), np.array([4.0, 5.0, np.nan, np.nan, 2.0])]
    base = np.array([2.0, 2.5, 2.5, 2.5, 2.0])
    np.testing.assert_allclose(cp.half_range(base, sides), [1.5, 2.5, 0.5, 0.0, 0.0])
    np.testing.assert_allclose(cp.half_range(base, sides[:1]), [1.0, 0.0, 0.5, 0.0, 0.0])
    np.testing.assert_allclose(cp.half_range(base, sides[1:]), [2.0, 2.5, 0.0, 0.0, 0.0])


def test_an_input_that_only_opens_the_gain_is_not_called_one_that_ends_it():
    """A line that does not lase has no errors and is lost by nothing, even if one side would make it lase."""
    lines = couple(
        modes(650.0, 640.0, gain=[1200.0, 50.0]), Emitter(), Pump(), model=linear,
        sources=[source("emitter.p_strength", 0.5), source("emitter.further_shift_mev", 1.0)],
    )  # fmt: skip
    assert lines.status == (LineStatus.LASES, LineStatus.NO_GAIN)
    assert lines.lost_if == ((), ())
    assert lines.contributions[1] == ()
    assert np.isnan([lines.value_err[1], lines.pairs_err[1]]).all()
    assert [item.input for item in lines.contributions[0]] == [
        "emitter.p_strength",
        "emitter.further_shift_mev",
    ]


def test_several_lost_inputs_are_named_in_the_order_of_the_records():
    lines = couple(
        modes(650.0, gain=1000.0), Emitter(), Pump(), model=linear,
        sources=[
            source("emitter.further_shift_mev", 40.0), source("pump.transmission", 0.1),
            source("emitter.p_strength", 0.2),
        ],
    )  # fmt: skip
    assert lines.lost_if == (("emitter.further_shift_mev", "emitter.p_strength"),)


def test_both_sides_lost_leaves_nothing_to_add():
    def narrow(emitter):
        return Constant(100.0 if emitter.p_strength == 1.0 else 1.0, 1.0, (600.0, 700.0))

    lines = couple(modes(650.0), Emitter(), Pump(), model=narrow, sources=[source("emitter.p_strength", 0.2)])
    assert lines.lost_if == (("emitter.p_strength",),)
    assert lines.contributions == ((),)
    assert (lines.value_err[0], lines.pairs_err[0]) == (0.0, 0.0)


def test_records_of_defaults_are_under_their_table():
    found = cp.default_records(Emitter(), Pump())
    paths = [item.path for item in found]
    assert len(paths) == len(set(paths))
    assert {path.partition(".")[0] for path in paths} == {"emitter", "pump"}
    assert paths.index("emitter.volume_fraction") < paths.index("pump.transmission")
    changed = {item.path for item in cp.default_records(Emitter(exciton_ev=1.9), Pump(transmission=0.9))}
    assert set(paths) - changed == {"emitter.exciton_ev", "pump.transmission"}


def test_a_text_a_table_and_a_missing_number_are_not_moved():
    table = GainTable(
        table="g.csv", level="pairs_per_shell", levels=(0.0, 0.0, 4.0, 4.0),
        wavelengths_nm=(600.0, 700.0) * 2, gain_per_cm=(-60.0, -60.0, 140.0, 140.0),
    )  # fmt: skip
    for emitter, pump, path in (
        (Emitter(spectrum=table), Pump(), "emitter.spectrum"),
        (
            Emitter(absorption_cross_section_cm2="leatherdale"),
            Pump(wavelength_nm=350.0),
            "emitter.absorption_cross_section_cm2",
        ),
        (Emitter(), Pump(), "pump.pulse_shape"),
        (Emitter(), Pump(), "pump.absorption_cross_section_cm2"),
        (Emitter(), Pump(), "emitter"),
        (Emitter(), Pump(), "pumps.transmission"),
    ):
        lines = couple(modes(650.0), emitter, pump, sources=[source(path, 0.1)])
        assert lines.contributions == ((),), path
        assert lines.value_err[0] == 0.0


def test_of_those_without_a_threshold_the_first_transparent_comes_first():
    """No gain, out of band and unknown loss are one group; in it the redder of equals leads."""
    table = modes(640.0, 660.0, 720.0, 650.0, 740.0, gain=[1e9, math.nan, 1.0, 1e9, 1.0], q=math.nan)
    lines = couple(table, Emitter(), Pump(), model=linear, errors=False)
    assert lines.wavelength_nm.tolist() == [660.0, 650.0, 640.0, 740.0, 720.0]
    assert [line.rank for line in lines] == [None] * 5
    assert lines.first is None


def test_the_first_line_is_the_first_that_lases():
    lines = couple(modes(650.0, 640.0, gain=[1e9, 50.0]), Emitter(), Pump(), model=linear, errors=False)
    assert lines.first.wavelength_nm == 640.0
    assert lines.first.rank == 1
    assert lines.lasing.tolist() == [True, False]
    assert lines[-1].wavelength_nm == 650.0
    assert couple(Modes.empty(), Emitter(), Pump(), errors=False).first is None


def test_a_needed_gain_of_the_table_wins_over_an_endless_q():
    table = modes(650.0, 650.0, gain=[7.0, math.nan], q=math.inf)
    np.testing.assert_array_equal(required_gain_per_cm(table, film_index=1.9), [7.0, 0.0])
    np.testing.assert_array_equal(required_gain_per_cm(table), [7.0, 0.0])
    none = modes(650.0, 650.0, 650.0, gain=math.nan, q=[0.0, 500.0, 500.0], confinement=[0.5, -0.1, math.inf])
    assert np.isnan(required_gain_per_cm(none, film_index=1.9)).all()


def test_every_key_of_a_lines_record():
    lines = couple(modes(655.0, gain=20.0), Emitter(), Pump())
    line = lines[0]
    record = json.loads(json.dumps(line.record(), allow_nan=False))
    assert set(record) == {
        "rank", "wavelength_nm", "transition", "threshold", "required_gain_per_cm", "transparency_pairs",
        "emission_share", "dark", "status", "note", "mode",
    }  # fmt: skip
    assert set(record["threshold"]) == {
        "value", "unit", "pairs_per_shell", "value_err", "pairs_err", "contributions",
    }  # fmt: skip
    assert record["threshold"]["value"] == lines.value[0]
    assert record["threshold"]["pairs_per_shell"] == lines.pairs_per_shell[0]
    assert record["threshold"]["value_err"] == lines.value_err[0]
    assert record["threshold"]["pairs_err"] == lines.pairs_err[0]
    first = record["threshold"]["contributions"][0]
    assert set(first) == {"input", "plus_minus", "pairs_err", "value_err"}
    assert first["input"] == line.threshold.contributions[0].input
    assert record["emission_share"] == pytest.approx(
        dict(zip(("X", "XX", "MX"), lines.emission_share[0], strict=True))
    )
    assert (record["required_gain_per_cm"], record["transparency_pairs"]) == (
        20.0,
        lines.transparency_pairs[0],
    )
    assert (record["rank"], record["status"], record["dark"], record["note"]) == (
        1,
        "lases",
        None,
        line.note,
    )
    assert record["mode"] == json.loads(json.dumps(line.mode.record()))
    assert line.threshold_err == lines.value_err[0]


def test_what_is_not_known_is_none():
    lines = couple(modes(655.0, gain=math.nan, q=math.nan), Emitter(), Pump())
    record = lines[0].record()
    assert record["required_gain_per_cm"] is None
    assert record["threshold"]["value"] is record["threshold"]["value_err"] is None
    assert (record["rank"], record["status"]) == (None, "unknown_loss")
    out = couple(modes(900.0), Emitter(), Pump())[0].record()
    assert out["transparency_pairs"] is out["transition"] is None
    assert out["emission_share"] == {"X": 0.0, "XX": 0.0, "MX": 0.0}


def test_errors_of_the_cavity_stand_in_the_record_and_win_as_error():
    part = CavityContribution("film.n", 0.1, 2.0, math.nan, 0.5)
    errors = InputErrors(2.0, 0.1, math.nan, 1.5, 0.5, (part,), ("film.n",), ("film.d",))
    lines = replace(couple(modes(655.0, 640.0), Emitter(), Pump()), input_errors=(errors, errors))
    line = lines[1]
    assert line.threshold_err == 1.5
    assert line.record()["input_errors"] == {
        "wavelength_nm": 2.0, "q_relative": 0.1, "threshold_gain_relative": None, "threshold": 1.5,
        "threshold_of_cavity": 0.5, "lost_if": ["film.n"], "not_propagated": ["film.d"],
        "contributions": [
            {"input": "film.n", "plus_minus": 0.1, "wavelength_nm": 2.0, "q_relative": None, "threshold": 0.5}
        ],
    }  # fmt: skip


def test_a_threshold_without_numbers_as_json():
    found = Threshold(math.nan, "uJ/cm2", math.inf, 1.0, 2.0, (Contribution("a.b", 0.1, 0.2, math.nan),))
    (line,) = couple(modes(655.0), Emitter(), Pump(), errors=False)
    assert replace(line, threshold=found).record()["threshold"] == {
        "value": None, "unit": "uJ/cm2", "pairs_per_shell": None, "value_err": 1.0, "pairs_err": 2.0,
        "contributions": [{"input": "a.b", "plus_minus": 0.1, "pairs_err": 0.2, "value_err": None}],
    }  # fmt: skip


def test_a_long_pulse_has_thresholds_in_kw_that_leave_what_the_film_needs():
    lines = couple(modes(650.0), Emitter(), LONG, model=linear, errors=False)
    created = created_pairs(Emitter(), LONG, lines.value[0])
    assert lines.pairs_per_shell[0] == pytest.approx(1.5, rel=1e-9)
    assert pumped_occupation(Emitter(), LONG, created)[1] == pytest.approx(1.5, rel=2e-5)
    assert created > 1.5
    assert lines.unit == "kW/cm2"


def test_occupations_are_reckoned_once_for_each_kinetics(monkeypatch):
    """Strength and transmission leave them alone; a lifetime and its two moved values make three."""
    honest, made = Occupation.of, []

    def counting(emitter, pump):
        made.append(emitter.exciton_lifetime_ns)
        return honest(emitter, pump)

    monkeypatch.setattr(Occupation, "of", counting)
    paths = {"emitter.p_strength": 0.1, "pump.transmission": 0.1, "emitter.exciton_lifetime_ns": 45.0}
    couple(modes(650.0), Emitter(), LONG, model=linear, sources=[source(*item) for item in paths.items()])
    assert made == [110.0, 155.0, 65.0]
