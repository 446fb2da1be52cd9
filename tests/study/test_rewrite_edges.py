"""Numbers written back into a file: which keys, where they go, and which tables follow."""

from __future__ import annotations

import pytest
import tomlkit

from cavitydesign.geometry import SourcedNumber
from cavitydesign.study.rewrite import with_numbers

TEXT = """\
name = "stack"
family = "stack"
table = "mine.csv"

[lattice]
kind = "oblique"
sizes_nm = [360.0, 420.0]

[[layers]]
material = { mix = { film = { table = "deep/film.csv" } }, others = [{ table = "../up.csv" }] }
thickness_nm = 200.0

[[layers]]
material = { n = 1.46, table = 3 }
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "designs" / "stack.toml"
    path.parent.mkdir()
    path.write_text(TEXT, encoding="utf-8")
    return path


def number(path, value=1.5, **parts):
    return SourcedNumber(path=path, value=value, source="fitted", **parts)


def test_only_the_keys_that_a_number_has_are_written(file):
    def written(**parts):
        text = with_numbers(file, [number("layers.1.material.n", **parts)], folder=file.parent)
        return tomlkit.parse(text)["layers"][1]["material"]["n"].unwrap()

    assert written() == {"value": 1.5, "source": "fitted"}
    assert written(plus_minus=0.0) == {"value": 1.5, "source": "fitted", "plus_minus": 0.0}
    assert written(plus_minus=0.25, note="a peak") == {
        "value": 1.5, "source": "fitted", "plus_minus": 0.25, "note": "a peak",
    }  # fmt: skip
    text = with_numbers(file, [number("layers.1.material.n", note="a peak")], folder=file.parent)
    assert '{value = 1.5, source = "fitted", note = "a peak"}' in text


def test_an_entry_of_a_list_is_replaced_in_its_place(file):
    text = with_numbers(file, [number("lattice.sizes_nm.1", 421.0)], folder=file.parent)
    first, second = tomlkit.parse(text)["lattice"]["sizes_nm"]
    assert first == 360.0
    assert second.unwrap() == {"value": 421.0, "source": "fitted"}


def test_missing_tables_are_made_in_the_style_of_their_place(file):
    numbers = [number("emitter.exciton_ev"), number("layers.1.material.film.fraction", 0.5)]
    text = with_numbers(file, numbers, folder=file.parent)
    assert "\n[emitter]\nexciton_ev = {value" in text
    assert 'film = {fraction = {value = 0.5, source = "fitted"}}' in text
    both = with_numbers(file, [number("pump.transmission"), number("pump.pulse_ns", 2.0)], folder=file.parent)
    pump = tomlkit.parse(both)["pump"].unwrap()
    assert {name: item["value"] for name, item in pump.items()} == {"transmission": 1.5, "pulse_ns": 2.0}


def test_tables_at_any_depth_follow_and_nothing_else_does(file):
    folder = file.parent.parent / "fits"
    text = with_numbers(str(file), [], folder=str(folder))
    again = tomlkit.parse(text)
    assert again["table"] == "../designs/mine.csv"
    material = again["layers"][0]["material"]
    assert material["mix"]["film"]["table"] == "../designs/deep/film.csv"
    assert material["others"][0]["table"] == "../up.csv"
    assert again["layers"][1]["material"]["table"] == 3
    assert again["name"] == "stack"


def test_the_folder_of_the_file_itself_moves_nothing(file, monkeypatch):
    monkeypatch.chdir(file.parent)
    assert with_numbers("stack.toml", [], folder=".") == TEXT


def test_a_header_is_comment_line_by_line(file):
    text = with_numbers(file, [], folder=file.parent, header="one\n\ntwo  ")
    assert text == f"# one\n#\n# two\n{TEXT}"
