"""``make run`` in small: every file that it promises, and a summary that fits one screen."""

from __future__ import annotations

import csv
import json

import pytest

from tests.cli.running import command


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("showcase") / "out"
    ran = command("showcase", "--out", folder, "--coarse", "--jobs", "1")
    assert ran.code == 0, ran.stderr
    assert ran.out == (folder / "summary.txt").read_text(), "what is on the screen is kept"
    return folder


def test_every_laser_has_its_tables_and_figures(out):
    for laser in ("nanopillar", "pcsel", "two_mirror"):
        names = {path.name for path in (out / laser).iterdir()}
        assert {
            "prediction.json",
            "modes.json",
            "published_and_predicted.csv",
            "sweep.nc",
            "sweep.csv",
        } <= names
        assert {"map.png", "gain.png", "modes.png", "field.png", "published.png"} <= names
        rows = list(csv.DictReader((out / laser / "published_and_predicted.csv").read_text().splitlines()))
        assert any(row["published"] and row["predicted"] for row in rows)
    assert (out / "two_mirror" / "mirrors.png").exists()
    assert {path.suffix for path in (out / "masks").iterdir()} == {".gds", ".json", ".png"}


def test_the_summary_fits_one_screen_and_says_what_must_be_said(out):
    lines = (out / "summary.txt").read_text().splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    for word in ("Assumed", "Fitted", "Physics", "640 nm", "66.9 kW/cm²", "1.1 mJ/cm²", "read back as drawn"):
        assert word in text, word
    document = json.loads((out / "summary.json").read_text())
    assert document["physics_s"] > 0.0
    assert len(document["lasers"]) == 3


def test_layouts_that_are_not_there_are_one_line(tmp_path):
    ran = command("showcase", "--out", tmp_path / "out", "--layouts", tmp_path, "--jobs", "1")
    assert ran.code == 2
    assert "nanopillar.toml: there is no such file" in ran.err


def test_what_cannot_be_is_refused_before_any_work(tmp_path, monkeypatch):
    from cavitydesign import showcase

    monkeypatch.setattr(showcase, "_lasers", lambda *_, **__: pytest.fail("work was begun"))
    file = tmp_path / "file"
    file.touch()
    for arguments, line in (
        (("--out", file), "--out: is a file; name a folder, got "),
        (("--out", file / "out"), f"--out: cannot be written: {file} is no folder, got "),
        (("--out", tmp_path, "--jobs", "0"), "--jobs: must be at least 1, got 0"),
    ):
        ran = command("showcase", *arguments)
        assert ran.code == 2
        assert ran.one_line().startswith(line)


def test_an_interrupt_says_what_is_kept(tmp_path, monkeypatch):
    from cavitydesign import showcase

    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(showcase, "_lasers", stopped)
    ran = command("showcase", "--out", tmp_path / "out")
    assert ran.code == 130
    assert ran.one_line() == f"interrupted; what was finished is kept in {tmp_path / 'out'}"


def test_the_summary_is_json_on_request(tmp_path, monkeypatch):
    from cavitydesign import showcase

    told = showcase.Told("[bold]Pillars[/]", words=["a [red]word[/]"], assumed=["film.n"])
    monkeypatch.setattr(showcase, "_lasers", lambda *_, **__: [told])
    monkeypatch.setattr(showcase, "mask", lambda file, _out: {"file": str(file), "devices": 1, "ok": True})
    ran = command("showcase", "--out", tmp_path, "--json")
    assert ran.code == 0
    (laser,) = ran.json["lasers"]
    assert laser["words"] == ["a [red]word[/]"]
    assert "[bold]Pillars[/]: a [red]word[/]." in (tmp_path / "summary.txt").read_text(), "not read as markup"
