"""What the gain package says when it refuses: the whole line, with file, key, rule and value."""

from __future__ import annotations

import numpy as np
import pytest

from cavitydesign.errors import InputError
from cavitydesign.gain import LineStatus, couple, model_of
from cavitydesign.gain import model as models
from cavitydesign.gain import pump as pm
from cavitydesign.gain import shells as sp
from cavitydesign.gain.measured import Measured
from cavitydesign.gain.pump import Pumping
from cavitydesign.gain.rates import Filling
from cavitydesign.geometry import Emitter, Pump
from cavitydesign.geometry.emitter import GainTable
from cavitydesign.solvers.solution import Modes
from cavitydesign.units import nm_to_ev

LONG = Pump(wavelength_nm=532.0, pulse_ns=7.0, absorption_cross_section_cm2=1e-14)


def table(level="pairs_per_shell", *, ends=((600.0, 700.0), (610.0, 690.5))):
    """Gain of -40 and 100 cm⁻¹ at two levels, each between two wavelengths."""
    return GainTable(
        table="bench/gain.csv",
        level=level,
        levels=(1.0, 1.0, 4.5, 4.5),
        wavelengths_nm=(*ends[0], *ends[1]),
        gain_per_cm=(-40.0, -40.0, 100.0, 100.0),
    )


def filled(levels):
    """A filling of so many pairs, at a fluence of as many µJ/cm²."""
    levels = np.asarray(levels)
    return Filling(np.full((*levels.shape, 9), np.nan), levels, levels)


def refused(function, *args, **kwargs):
    with pytest.raises(InputError) as caught:
        function(*args, **kwargs)
    return str(caught.value)


# -- measured gain -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", [[609.5, 650.0, 700.0], [609.5, 609.9], [609.5]])
def test_a_wavelength_that_the_table_lacks(asked):
    """The first that is outside is named."""
    model = Measured(Emitter(), table())
    assert refused(model.gain_per_cm, np.array(asked), filled([2.0] * len(asked))) == (
        "bench/gain.csv: wavelength_nm: the gain table covers 610-690.5 and is not extrapolated, got 609.5"
    )


@pytest.mark.parametrize(("level", "key"), [("pairs_per_shell",) * 2, ("fluence_uj_per_cm2",) * 2])
@pytest.mark.parametrize("asked", [[2.0, 0.5, 5.0], [0.5, 0.6, 2.0]])
def test_a_level_that_the_table_lacks(level, key, asked):
    model = Measured(Emitter(), table(level))
    assert refused(model.gain_per_cm, np.full(3, 650.0), filled(asked)) == (
        f"bench/gain.csv: {key}: the gain table covers 1-4.5 and is not extrapolated, got 0.5"
    )


@pytest.mark.parametrize("ends", [((600.0, 620.0), (620.0, 640.0)), ((630.0, 640.0), (600.0, 620.0))])
def test_curves_that_share_no_range(ends):
    """One wavelength in common is no range."""
    assert refused(Measured, Emitter(), table(ends=ends)) == (
        "bench/gain.csv: the levels of a gain table must share a range of wavelengths"
    )


@pytest.mark.parametrize(
    "pump", [Pump(photons=2, wavelength_nm=800.0), LONG, LONG.replace(photons=2, wavelength_nm=800.0)]
)
def test_a_table_over_fluence_under_another_pump(pump):
    emitter = Emitter(spectrum=table("fluence_uj_per_cm2"))
    assert refused(Measured(emitter, emitter.spectrum).levels, Pumping.of(emitter, pump)) == (
        "emitter.spectrum.level: a table over fluence_uj_per_cm2 needs a one-photon pump with a short pulse; "
        "or give pairs_per_shell, got 'fluence_uj_per_cm2'"
    )


# -- pump --------------------------------------------------------------------------------------------------------


def test_a_pump_far_from_the_cross_sections_wavelength():
    assert refused(pm.cross_section_cm2, Emitter(), Pump(wavelength_nm=532.0)) == (
        "pump.wavelength_nm: the emitter's cross-section holds at 400 nm; give pump.absorption_cross_section_cm2, "
        "got 532.0"
    )


@pytest.mark.parametrize(
    ("pump", "carry"),
    [
        (Pump(wavelength_nm=700.0, absorption_cross_section_cm2=1e-15), "1 photon(s) carry 1.771"),
        (Pump(photons=2, wavelength_nm=1400.0), "2 photon(s) carry 1.771"),
    ],
)
@pytest.mark.parametrize("function", [pm.created_pairs, pm.pump_level])
def test_photons_too_small_for_the_exciton(function, pump, carry):
    assert refused(function, Emitter(exciton_ev=1.9), pump, 1.0) == (
        f"pump.wavelength_nm: {carry} eV; the exciton needs 1.900 eV, got {pump.wavelength_nm}"
    )


def test_photons_of_just_the_excitons_energy_pump_nothing():
    emitter = Emitter(exciton_ev=nm_to_ev(650.0), varshni_alpha_ev_per_k=0.0)
    pump = Pump(wavelength_nm=650.0, absorption_cross_section_cm2=1e-15)
    assert "the exciton needs" in refused(pm.pump_level, emitter, pump, 1.0)


def test_more_pairs_than_a_long_pulse_leaves():
    pumping = Pumping.of(Emitter(), LONG)
    rule = f"the pump's pulse leaves at most {pumping.most_pairs:.3g} pairs here, got 30.0"
    assert refused(pumping.created_for, 30.0) == f"emitter.threshold_pairs: {rule}"
    assert refused(pumping.created_for, 30.0, key="emitter.spectrum") == f"emitter.spectrum: {rule}"


def test_levels_of_a_table_that_a_long_pulse_never_leaves():
    """Of a table that starts beyond, the first level is named, under the table's own key."""
    far = table().replace(levels=(40.0, 40.0, 50.0, 50.0))
    pumping = Pumping.of(Emitter(), LONG)
    with pytest.raises(InputError) as caught:
        Measured(Emitter(), far).levels(pumping)
    assert (caught.value.key, caught.value.value) == ("emitter.spectrum", 40.0)
    assert str(caught.value) == (
        f"emitter.spectrum: the pump's pulse leaves at most {pumping.most_pairs:.3g} pairs here, got 40.0"
    )


# -- emitter -----------------------------------------------------------------------------------------------------


def test_an_exciton_that_varshni_leaves_no_energy():
    """1.8505 eV - (0.01 × 1000²/1220 - 0.01 × 293²/513) eV is less than nothing."""
    emitter = Emitter(temperature_k=1000.0, varshni_alpha_ev_per_k=1e-2)
    energy = 1.8505 - 1e-2 * (1000.0**2 / 1220.0 - 293.0**2 / 513.0)
    assert refused(sp.exciton_energy_ev, emitter) == (
        f"emitter.varshni_alpha_ev_per_k: the exciton would have {energy:.3g} eV at 1000 K, got 0.01"
    )


def test_an_exciton_of_little_energy_is_taken_down_to_50_mev():
    """α T²/(T + β) with β = T = T0 of another α: 0.3 eV less 0.25 eV, give or take a tenth of a meV."""
    at = {"exciton_ev": 0.3, "temperature_k": 500.0, "exciton_temperature_k": 1e-3, "varshni_beta_k": 500.0}
    left = sp.exciton_energy_ev(Emitter(varshni_alpha_ev_per_k=0.2499e-3 * 4.0, **at))
    assert left == pytest.approx(0.0501, abs=1e-6)
    assert "0.0499 eV" in refused(sp.exciton_energy_ev, Emitter(varshni_alpha_ev_per_k=0.2501e-3 * 4.0, **at))


def test_lines_without_a_width():
    """Very cold, without inhomogeneous width: 71 µeV/K × 0.01 K = 0.71 µeV; 0.02 K are enough."""
    cold = Emitter(temperature_k=0.01, inhomogeneous_fwhm_mev=0.0)
    assert refused(sp.line_fwhm_ev, cold) == (
        "emitter: lines would be narrower than 1e-06 eV; give emitter.inhomogeneous_fwhm_mev, "
        f"got {sp.homogeneous_fwhm_ev(cold)!r}"
    )
    assert sp.homogeneous_fwhm_ev(cold) == pytest.approx(0.71e-6, rel=1e-12)
    assert sp.line_fwhm_ev(cold, temperature_k=0.02) == pytest.approx(1.42e-6, rel=1e-12)
    just = Emitter(inhomogeneous_fwhm_mev=1e-3, acoustic_broadening_uev_per_k=0.0, lo_broadening_mev=0.0)
    assert sp.line_fwhm_ev(just) == 1e-6


def test_an_emitter_that_no_model_claims(monkeypatch):
    monkeypatch.setattr(models, "_CLAIMS", [lambda emitter: None])
    assert refused(model_of, Emitter()) == ("emitter: no gain model knows this emitter; pass one by model=")


# -- notes of a line ---------------------------------------------------------------------------------------------


def test_a_note_names_everything_there_is_to_say():
    """Dark, without a threshold, and nothing more: two parts; a plain line that lases has no note."""
    modes = Modes.from_columns(
        wavelength_nm=[655.0, 654.0],
        q=[500.0, 5e7],
        outward_share=[0.5, 1e-9],
        threshold_gain_per_cm=[20.0, 1e6],
    )
    plain, dark = couple(modes, Emitter(), Pump(), errors=False)
    assert plain.note == ""
    said, why = dark.note.split("; the gain")
    assert said.startswith("dark: next to nothing of this mode leaves to either side")
    assert said.endswith("solve the finite array for that of a device")
    assert f"the gain{why}" == LineStatus.NO_GAIN.value


def test_inputs_that_end_the_lasing_are_listed():
    modes = Modes.from_columns(wavelength_nm=[655.0], threshold_gain_per_cm=[200.0], outward_share=[0.5])
    (line,) = couple(modes, Emitter(), Pump())
    assert len(line.lost_if) > 1
    assert line.note == f"would not lase if off by their plus_minus: {', '.join(line.lost_if)}"


def test_the_table_of_a_notebook_has_all_columns():
    modes = Modes.from_columns(
        wavelength_nm=[655.125, 654.0, 480.0],
        q=[500.0, 5e7, 10.0],
        outward_share=[0.5, 1e-9, 0.5],
        threshold_gain_per_cm=[20.0, 1e6, 1.0],
    )
    lines = couple(modes, Emitter(), Pump(), errors=False)
    html = lines._repr_html_()
    head, *rows = html.split("<tr>")[1:]
    assert [cell.split("</th>")[0] for cell in head.split("<th>")[1:]] == [
        "rank", "λ (nm)", "transition", "threshold (uJ/cm2)", "⟨N⟩", "dark", "note",
    ]  # fmt: skip
    cells = [[cell.split("</td>")[0] for cell in row.split("<td>")[1:]] for row in rows]
    line = lines[0]
    assert cells[0] == [
        "1", f"{line.wavelength_nm:.2f}", "XX", f"{line.threshold.value:.4g}",
        f"{line.threshold.pairs_per_shell:.3g}", "no", "",
    ]  # fmt: skip
    assert [row[0] for row in cells] == ["1", "-", "-"]
    assert [row[2] for row in cells] == ["XX", lines[1].transition, "-"]
    assert [row[5] for row in cells] == ["no", "yes", "no"]
    assert cells[2][6] == LineStatus.OUT_OF_BAND.value
    assert np.isfinite(line.threshold.value)
