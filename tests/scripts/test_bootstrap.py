"""What set-up does with an environment that is whole, half made, moved or somebody else's; pip and apt are faked."""

import json
import sys
from pathlib import Path

import pytest

from scripts import bootstrap


class Machine:
    """A project folder, and a record of what set-up asked of it."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.venv = root / ".venv"
        self.calls: list[str] = []
        self.meep: str | None = "/usr/bin/env"
        (root / "pyproject.toml").write_text("[project]\n")
        (root / "constraints.txt").write_text("numpy==2.4.6\n")
        monkeypatch.chdir(root)
        for name, value in {
            "ROOT": str(root),
            "VENV": str(self.venv),
            "PYTHON": str(self.venv / "bin" / "python"),
            "STATE": str(self.venv / "setup.json"),
            "find_python": lambda: "/usr/bin/python3",
            "find_meep": lambda: self.meep,
            "_fill_venv": self.fill,
            "_apt_prefix": lambda: None,
        }.items():
            monkeypatch.setattr(bootstrap, name, value)

    def fill(self, base: str | None, extras: list[str]) -> None:
        self.calls.append(("new " if base else "old ") + "+".join(extras))
        (self.venv / "bin").mkdir(exist_ok=True)
        (self.venv / "bin" / "python").touch()

    def state(self) -> dict[str, object]:
        return json.loads((self.venv / "setup.json").read_text())


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def test_second_call_does_nothing(machine: Machine) -> None:
    assert bootstrap.main(["run"]) == 0
    assert bootstrap.main(["run"]) == 0
    assert machine.calls == ["new "]


def test_more_is_added_and_never_taken_away(machine: Machine) -> None:
    for level in ("run", "dev", "run", "bench", "dev"):
        assert bootstrap.main([level]) == 0
    assert machine.calls == ["new ", "old dev", "old bench+dev"]


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_changed_dependencies_are_installed(machine: Machine, tmp_path: Path, name: str) -> None:
    bootstrap.main(["run"])
    (tmp_path / name).write_text("changed\n")
    bootstrap.main(["run"])
    assert machine.calls == ["new ", "old "]


def test_changed_settings_of_tools_install_nothing(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\n\n[tool.pytest.ini_options]\nxfail_strict = true\n")
    bootstrap.main(["run"])
    (tmp_path / "pyproject.toml").write_text("[project]\n\n[tool.pytest.ini_options]\nxfail_strict = false\n")
    bootstrap.main(["run"])
    assert machine.calls == ["new "]


def test_an_interrupted_environment_is_made_again(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(base: str | None, extras: list[str]) -> None:
        machine.fill(base, extras)
        (machine.venv / "half-installed").touch()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(bootstrap, "_fill_venv", interrupted)
        assert bootstrap.main(["run"]) == 130
    assert machine.state()["status"] == "making"
    assert bootstrap.main(["run"]) == 0
    assert machine.calls == ["new ", "new "]
    assert not (machine.venv / "half-installed").exists()


def test_a_moved_environment_is_made_again(machine: Machine) -> None:
    bootstrap.main(["run"])
    (machine.venv / "setup.json").write_text(
        json.dumps({**machine.state(), "root": "/elsewhere", "recipe": "other"})
    )
    bootstrap.main(["run"])
    assert machine.calls == ["new ", "new "]


def test_the_users_own_environment_is_left_alone(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.venv.mkdir()
    (machine.venv / "pyvenv.cfg").write_text("theirs")
    assert bootstrap.main(["run"]) == 1
    assert (machine.venv / "pyvenv.cfg").read_text() == "theirs"
    assert ".venv was not made by this project" in capsys.readouterr().err


def test_without_meep_all_else_is_set_up(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.meep = None
    assert bootstrap.main(["run"]) == 0
    assert "apt-get install python3-meep-mpi-default" in capsys.readouterr().err
    machine.meep = "/usr/bin/env"
    assert bootstrap.main(["run"]) == 0  # not asked again at every call, but the line stays
    assert "Meep is missing" in capsys.readouterr().err
    assert bootstrap.main(["meep"]) == 0
    assert "Meep is missing" not in capsys.readouterr().err
    assert machine.calls == ["new "]


def test_an_unknown_level_is_refused(machine: Machine) -> None:
    assert bootstrap.main(["everything"]) == 2
    assert not machine.venv.exists()


def test_a_named_interpreter_without_meep_is_not_replaced(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.meep = None
    monkeypatch.setenv("CAVITYDESIGN_MEEP_PYTHON", "/usr/bin/env")
    monkeypatch.setattr(bootstrap, "_apt_prefix", lambda: pytest.fail("apt was asked"))
    assert bootstrap.main(["run"]) == 0
    assert "CAVITYDESIGN_MEEP_PYTHON names an interpreter that cannot import meep" in capsys.readouterr().err
    monkeypatch.delenv("CAVITYDESIGN_MEEP_PYTHON")
    machine.meep = "/usr/bin/env"
    monkeypatch.setattr(bootstrap, "_apt_prefix", lambda: None)
    assert bootstrap.main(["run"]) == 0  # another value of the variable is another question
    assert machine.state()["meep"] == "/usr/bin/env"


def test_leftovers_of_an_uninstalled_meep_are_not_meep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "meep").mkdir()
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nshift\nPYTHONPATH={tmp_path} exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    monkeypatch.setenv("CAVITYDESIGN_MEEP_PYTHON", str(python))
    assert bootstrap.find_meep() is None
    (tmp_path / "meep" / "__init__.py").write_text("Simulation = object\n")
    assert bootstrap.find_meep() == str(python)
