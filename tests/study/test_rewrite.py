"""A fitted design keeps the user's file: comments, order, and what was not touched."""

from __future__ import annotations

import pytest

from cavitydesign import load_design
from cavitydesign.geometry import SourcedNumber
from cavitydesign.study.rewrite import with_numbers

TEXT = """\
# my stack, 2026
name = "stack"        # a name
family = "stack"

[[layers]]            # air
material = { n = 1.0 }

[[layers]]
material = { n = { value = 1.85, source = "assumed", plus_minus = 0.15 } }   # the film
thickness_nm = 200.0  # by profilometer
gain = true

[[layers]]
material = { table = "glass.csv" }
"""


@pytest.fixture
def file(tmp_path):
    (tmp_path / "glass.csv").write_text("wavelength_nm,n\n500,1.47\n600,1.46\n700,1.455\n800,1.45\n")
    path = tmp_path / "stack.toml"
    path.write_text(TEXT)
    return path


def fitted(path, value, plus_minus=0.01):
    return SourcedNumber(path=path, value=value, source="fitted", plus_minus=plus_minus, note="to a peak")


def test_comments_and_order_survive_and_the_number_says_where_it_comes_from(file):
    numbers = [fitted("layers.1.material.n", 1.8125), fitted("layers.1.thickness_nm", 203.5, None)]
    text = with_numbers(file, numbers, folder=file.parent, header="calibrated\n\nby hand")
    assert text.startswith("# calibrated\n#\n# by hand\n# my stack, 2026\n")
    for comment in ("# a name", "# air", "# the film", "# by profilometer"):
        assert comment in text
    again = file.with_name("fitted.toml")
    again.write_text(text)
    design = load_design(again)
    assert design.value_at("layers.1.material.n") == 1.8125
    assert design.value_at("layers.1.thickness_nm") == 203.5
    by_path = {item.path: item for item in design.sources}
    assert by_path["layers.1.material.n"].source == "fitted"
    assert by_path["layers.1.material.n"].plus_minus == 0.01
    assert by_path["layers.1.material.n"].note == "to a peak"
    assert by_path["layers.1.thickness_nm"].plus_minus is None


def test_nothing_changes_without_numbers(file):
    assert with_numbers(file, [], folder=file.parent) == TEXT


def test_tables_follow_the_file_to_another_folder(file):
    folder = file.parent / "fits" / "deep"
    folder.mkdir(parents=True)
    moved = folder / "stack.toml"
    moved.write_text(with_numbers(file, [], folder=folder))
    assert 'table = "../../glass.csv"' in moved.read_text()
    there = load_design(moved).to_stack().layers[-1].material
    assert there.n == load_design(file).to_stack().layers[-1].material.n


def test_a_table_that_the_file_left_out_is_made(file):
    text = with_numbers(file, [fitted("emitter.exciton_ev", 1.86)], folder=file.parent)
    again = file.with_name("fitted.toml")
    again.write_text(text)
    assert load_design(again).value_at("emitter.exciton_ev") == 1.86


DOTTED = """\
name = "stack"
family = "stack"

[[layers]]
material.n = 1.0

[[layers]]
material.n = 1.85
thickness_nm.value = 200.0  # by profilometer
thickness_nm.source = "assumed"  # a guess
thickness_nm.plus_minus = 10.0
gain = true

[[layers]]
material.n = 1.46

[emitter.exciton_ev]
value = 1.85  # of the film
source = "assumed"
note = "old"
"""


def test_numbers_of_their_own_table_keep_their_comments(file):
    file.write_text(DOTTED)
    numbers = [fitted("layers.1.thickness_nm", 203.5), fitted("emitter.exciton_ev", 1.86, None)]
    text = with_numbers(file, numbers, folder=file.parent)
    for line in (
        "thickness_nm.value = 203.5  # by profilometer",
        'thickness_nm.source = "fitted"  # a guess',
    ):
        assert line in text.splitlines()
    assert "value = 1.86  # of the film" in text.splitlines()
    again = file.with_name("fitted.toml")
    again.write_text(text)
    design = load_design(again)
    records = {item.path: (item.value, item.source, item.plus_minus, item.note) for item in design.sources}
    assert records == {
        "layers.1.thickness_nm": (203.5, "fitted", 0.01, "to a peak"),
        "emitter.exciton_ev": (1.86, "fitted", None, "to a peak"),
    }
    assert design.value_at("layers.1.material.n") == 1.85


def test_what_no_longer_holds_of_a_dotted_number_is_taken_out(file):
    file.write_text(DOTTED)
    text = with_numbers(file, [fitted("layers.1.thickness_nm", 203.5, None)], folder=file.parent)
    assert "plus_minus" not in text


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends_stay_what_they_are(file, end):
    file.write_bytes(TEXT.replace("\n", end).encode())
    text = with_numbers(
        file, [fitted("emitter.exciton_ev", 1.86)], folder=file.parent, header="calibrated\nby hand"
    )
    assert text.startswith(f"# calibrated{end}# by hand{end}# my stack, 2026{end}")
    assert text.count("\n") == text.count(end)
    assert "\r\r" not in text
