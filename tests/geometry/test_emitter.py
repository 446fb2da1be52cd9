"""[emitter] and [pump]: what is refused, what defaults say of themselves, and gain tables from CSV."""

import math

import pytest

from cavitydesign.errors import InputError
from cavitydesign.geometry import Emitter, Pump, design_from_dict
from cavitydesign.geometry.base import default_sources, validated
from cavitydesign.geometry.emitter import QUASI_CW_NS, GainTable
from cavitydesign.geometry.load import read_gain_table

FREE = {
    "name": "film",
    "family": "stack",
    "layers": [
        {"material": {"n": 1.0}},
        {"material": {"n": 1.85}, "thickness_nm": 300.0, "gain": True},
        {"material": {"n": 1.46}},
    ],
}


@pytest.mark.parametrize(
    ("kind", "content", "key"),
    [
        (Emitter, {"temperature_k": 0.0}, "temperature_k"),
        (Emitter, {"exciton_ev": -1.8}, "exciton_ev"),
        (Emitter, {"exciton_ev": math.nan}, "exciton_ev"),
        (Emitter, {"volume_fraction": 1.2}, "volume_fraction"),
        (Emitter, {"inhomogeneous_fwhm_mev": -1.0}, "inhomogeneous_fwhm_mev"),
        (Emitter, {"absorption_cross_section_cm2": "guess"}, "absorption_cross_section_cm2"),
        (Emitter, {"exciton_nm": 640.0}, "exciton_nm"),
        (Pump, {"photons": 3}, "photons"),
        (Pump, {"pulse_ns": 0.0}, "pulse_ns"),
        (Pump, {"pulse_shape": "triangle"}, "pulse_shape"),
        (Pump, {"transmission": 0.0}, "transmission"),
        (Pump, {"wavelength_nm": math.inf}, "wavelength_nm"),
    ],
)
def test_bad_values_name_their_key(kind, content, key):
    with pytest.raises(InputError) as caught:
        validated(kind, content)
    assert caught.value.key is not None
    assert caught.value.key.startswith(key)
    assert "\n" not in str(caught.value)


def test_a_line_without_any_width_is_refused():
    with pytest.raises(InputError, match="needs a width"):
        validated(
            Emitter,
            {"inhomogeneous_fwhm_mev": 0.0, "acoustic_broadening_uev_per_k": 0.0, "lo_broadening_mev": 0.0},
        )


def test_a_given_threshold_and_a_measured_spectrum_exclude_each_other():
    table = GainTable(
        table="g.csv", level="none", levels=(0, 0), wavelengths_nm=(600, 700), gain_per_cm=(1, 1)
    )
    with pytest.raises(InputError, match="one of the two"):
        Emitter(spectrum=table).replace(threshold_pairs=1.4)


def test_every_unpublished_number_of_the_film_counts_as_assumed_with_an_uncertainty():
    records = {record.path: record for record in default_sources(Emitter(), "emitter")}
    for name in (
        "further_shift_mev", "p_splitting_mev", "p_strength", "inhomogeneous_fwhm_mev", "band_edge_cross_section_cm2",
        "shell_diameter_nm", "volume_fraction", "exciton_lifetime_ns",
    ):  # fmt: skip
        record = records[f"emitter.{name}"]
        assert record.source == "assumed", name
        assert record.plus_minus, name
        assert record.note, name


def test_the_one_number_taken_from_a_device_is_called_fitted():
    """σ follows from the pillar laser's own threshold, so a prediction of that threshold is not independent."""
    records = {record.path: record for record in default_sources(Emitter(), "emitter")}
    assert records["emitter.absorption_cross_section_cm2"].source == "fitted"
    assert [path for path, record in records.items() if record.source == "fitted"] == [
        "emitter.absorption_cross_section_cm2"
    ]


def test_a_number_that_was_given_is_no_default_any_more():
    left = {record.path for record in default_sources(Emitter(biexciton_shift_mev=70.0), "emitter")}
    assert "emitter.biexciton_shift_mev" not in left
    assert "emitter.exciton_ev" in left


def test_the_length_of_the_pulse_decides_the_regime():
    assert not Pump(pulse_ns=0.99 * QUASI_CW_NS).quasi_cw
    assert Pump(pulse_ns=QUASI_CW_NS).quasi_cw


def _csv(tmp_path, text):
    path = tmp_path / "gain.csv"
    path.write_text(text)
    return path


def test_a_gain_table_becomes_part_of_the_design(tmp_path):
    _csv(
        tmp_path,
        "# made up\nwavelength_nm,gain_per_cm,pairs_per_shell\n600,-50,1\n700,-10,1\n600,80,3\n700,20,3\n",
    )
    design = design_from_dict({**FREE, "emitter": {"spectrum": {"table": "gain.csv"}}}, base_dir=tmp_path)
    assert design.emitter is not None
    table = design.emitter.spectrum
    assert table is not None
    assert table.table == "gain.csv"  # as written, so that the id does not depend on the folder
    assert table.level == "pairs_per_shell"
    assert table.levels == (1, 1, 3, 3)
    assert table.gain_per_cm == (-50, -10, 80, 20)
    again = design_from_dict({**FREE, "emitter": {"spectrum": table.model_dump()}}, base_dir="elsewhere")
    assert again.emitter == design.emitter


@pytest.mark.parametrize(
    ("text", "key", "shown"),
    [
        ("wavelength_nm,gain_per_cm\n600,ten\n700,1\n", "line 2", "'ten'"),
        ("wavelength_nm,gain_per_cm\n600,nan\n700,1\n", "line 2", "'nan'"),
        ("wavelength_nm,gain_per_cm\n600,\n700,1\n", "line 2", "''"),
        ("wavelength_nm,gain\n600,1\n700,1\n", None, "gain_per_cm"),
        ("wavelength_nm,gain_per_cm\n700,1\n600,1\n", None, "must rise"),
        ("wavelength_nm,gain_per_cm\n600,1\n600,1\n", None, "must rise"),
        ("wavelength_nm,gain_per_cm\n-600,1\n600,1\n", "wavelengths_nm.0", "-600"),
        ("wavelength_nm,gain_per_cm\n600,1\n", "wavelengths_nm", "at least 2"),
        ("wavelength_nm,gain_per_cm,pairs_per_shell\n600,1,2\n700,1,2\n650,1,3\n", None, "at least two"),
        (
            "wavelength_nm,gain_per_cm,pairs_per_shell\n600,1,2\n700,1,2\n600,1,1\n700,1,1\n",
            None,
            "must rise",
        ),
        ("wavelength_nm,gain_per_cm,pairs_per_shell,fluence_uj_per_cm2\n600,1,2,4\n", None, "has both"),
        ("", None, "empty"),
    ],
)
def test_a_bad_gain_table_names_file_key_rule_and_value(tmp_path, text, key, shown):
    path = _csv(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read_gain_table(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert shown in message
    assert "\n" not in message
    if key:
        assert key in message


def test_a_gain_table_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        design_from_dict({**FREE, "emitter": {"spectrum": {"table": "none.csv"}}}, base_dir=tmp_path)
