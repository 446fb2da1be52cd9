"""``[emitter] model = "…"`` of a design file: constant and measured gain beside the shells, through every edge."""

import jsonschema
import pytest

from cavitydesign import design_from_dict, load_design
from cavitydesign.errors import InputError
from cavitydesign.gain import Constant, Measured, gain_spectrum, model_of, transition_energies_ev
from cavitydesign.gain.shells import Shells
from cavitydesign.geometry import ConstantEmitter, Emitter, MeasuredEmitter
from cavitydesign.geometry.schema import design_schema
from tests.cli.running import CAVITY, command

CONSTANT = {
    "model": "constant", "slope_per_cm": 5e4, "transparency_pairs": 1.2, "gain_window_nm": [600.0, 700.0],
}  # fmt: skip
MEASURED = {"model": "measured", "spectrum": {"table": "gain.csv"}}
TABLE = "wavelength_nm,gain_per_cm,pairs_per_shell\n600,-6e4,0\n700,-6e4,0\n600,1.4e5,4\n700,1.4e5,4\n"


@pytest.fixture
def written(tmp_path):
    """A design file with these lines under [emitter]."""

    def write(*lines):
        (tmp_path / "gain.csv").write_text(TABLE)
        file = tmp_path / "plates.toml"
        file.write_text("\n".join([CAVITY, "[emitter]", *lines]))
        return file

    return write


FORMS = {
    "constant": (
        'model = "constant"', "slope_per_cm = 5e4", "transparency_pairs = 1.2", "gain_window_nm = [600.0, 700.0]",
    ),
    "measured": ('model = "measured"', 'spectrum = { table = "gain.csv" }'),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "kind", "model"),
    [("constant", ConstantEmitter, Constant), ("measured", MeasuredEmitter, Measured)],
)
def test_a_file_names_its_model(written, name, kind, model):
    emitter = load_design(written(*FORMS[name])).emitter
    assert type(emitter) is kind
    assert isinstance(model_of(emitter), model)


@pytest.mark.parametrize("name", FORMS)
def test_predict_lases_where_the_gain_is_what_the_mode_needs(written, name):
    """Both are the line 5e4 (⟨N⟩ - 1.2)."""
    (line,) = command("predict", written(*FORMS[name]), "--no-tolerances", "--json").json["lines"]
    threshold = line["threshold"]["pairs_per_shell"]
    assert line["required_gain_per_cm"] > 0.0
    assert threshold == pytest.approx(1.2 + line["required_gain_per_cm"] / 5e4, rel=1e-9)
    assert line["transition"] == (None if name == "constant" else "XX")


def test_only_what_constant_gain_uses_counts_as_assumed(written):
    design = load_design(written(*FORMS["constant"]))
    assumed = {record.path for record in design.assumed()}
    assert "emitter.exciton_lifetime_ns" in assumed
    assert not {path for path in assumed if path.rpartition(".")[2] in ConstantEmitter.idle}
    again = design_from_dict(design.model_dump(mode="json"))
    assert again.id == design.id
    assert design.with_value("emitter.slope_per_cm", 2.0).emitter.slope_per_cm == 2.0


def test_the_shells_may_be_named_and_are_the_same_design(written):
    named, silent = load_design(written('model = "shells"')), load_design(written())
    assert type(named.emitter) is Emitter
    assert isinstance(model_of(named.emitter), Shells)
    assert named.id == silent.id


@pytest.mark.parametrize(
    ("lines", "complaints"),
    [
        (['model = "konstant"'], ["emitter.model: must be one of shells, measured, constant, got 'konstant'"]),
        (["exciton_eV = 1.9"], ["emitter.exciton_eV: unknown key; did you mean exciton_ev?, got 1.9"]),
        (
            [*FORMS["constant"][:2], "transparancy_pairs = 1.2", "gain_window_nm = [700.0, 600.0]"],
            [
                "emitter.transparancy_pairs: unknown key; did you mean transparency_pairs?, got 1.2",
                "emitter.gain_window_nm: must be [shorter, longer] wavelength in nm, got (700.0, 600.0)",
            ],
        ),
        (
            [*FORMS["constant"], "p_strength = 0.5"],
            ["emitter.p_strength: an emitter of constant gain has no such number"],
        ),
        (['model = "measured"'], ['emitter.spectrum: a measured emitter needs one, such as { table = "gain.csv" }']),
    ],
)  # fmt: skip
def test_complaints_name_the_model_s_own_keys(written, lines, complaints):
    file = written(*lines)
    ran = command("predict", file)
    assert ran.code == 2
    assert ran.lines() == [f"{file}: {text}" for text in complaints]


@pytest.mark.parametrize(
    ("emitter", "holds"),
    [
        (CONSTANT, True), (MEASURED, True), ({"model": "shells"}, True), ({"exciton_ev": 1.9}, True),
        ({**CONSTANT, "slope_per_cm": {"value": 1.0, "source": "assumed"}}, True),
        ({"model": "constant"}, False), ({"model": "measured", "slope_per_cm": 1.0}, False),
        ({**CONSTANT, "p_strength": 0.5}, False), ({"model": "konstant"}, False),
    ],
)  # fmt: skip
def test_the_schema_follows(emitter, holds):
    layers = [
        {"material": {"n": 1.0}},
        {"material": {"n": 2.0}, "thickness_nm": 9.0},
        {"material": {"n": 1.0}},
    ]
    content = {"name": "a", "family": "stack", "layers": layers, "emitter": emitter}
    checker = jsonschema.Draft202012Validator(design_schema("stack"))
    assert checker.is_valid(content) == holds


def test_constant_gain_is_drawn_as_it_is():
    emitter = ConstantEmitter(slope_per_cm=10.0, transparency_pairs=1.0, gain_window_nm=(600.0, 700.0))
    assert gain_spectrum(emitter, [610.0, 690.0], [1.0, 3.0]).tolist() == [[0.0, 0.0], [20.0, 20.0]]
    assert transition_energies_ev(emitter) == {}


def test_a_measured_emitter_takes_no_given_threshold(written):
    with pytest.raises(InputError, match="give one of the two"):
        load_design(written(*FORMS["measured"], "threshold_pairs = 1.4"))
