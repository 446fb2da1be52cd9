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
