"""What a kept result is addressed by, what stands in its two files, and what reads back of odd numbers."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from cavitydesign.errors import InputError, SolverError, Status
from cavitydesign.geometry.design import Device
from cavitydesign.solvers.ask import Solver
from cavitydesign.solvers.poles import Poles
from cavitydesign.solvers.solution import Mode, Modes, Solution
from cavitydesign.study import store as module
from cavitydesign.study.store import (
    Failure,
    Store,
    Task,
    attempt,
    outcome_from_dict,
    outcome_to_dict,
    plain_settings,
)
from tests.study.toy import film


@dataclass(frozen=True)
class Inner(Solver):
    """Settings within settings."""

    name = "inner"
    version = 1

    waves: int = 3


@dataclass(frozen=True)
class Outer(Solver):
    """Keeps what it is asked; how many processes it may use changes no number."""

    name = "outer"
    version = 7

    inner: Solver = Inner()
    processes: int = field(default=1, compare=False)
    asked: list = field(default_factory=list, compare=False)

    def run(self, ask):
        self.asked.append(ask)
        return Solution(Modes.of([Mode(650.0, 100.0)]), Status.OK, {"ran": len(self.asked)})


def canonical(content):
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@pytest.fixture
def task():
    return Task.of(film(), Outer())


def test_settings_are_their_type_and_what_changes_a_number():
    assert plain_settings(Outer(processes=4)) == {"type": "Outer", "inner": {"type": "Inner", "waves": 3}}
    for wrong in (Poles, "poles", 3):
        with pytest.raises(InputError) as caught:
            plain_settings(wrong)
        assert (caught.value.key, caught.value.value) == ("settings", wrong)
        assert caught.value.message == "settings are a value such as Poles()"


def test_the_id_and_the_address_are_what_the_files_of_others_rely_on(task):
    """SHA-256 of canonical JSON: design, settings, question; then id, solver's name and version."""
    asked = {"window_nm": [600.0, 700.0], "device": None, "bloch": [0.0, 0.0], "angle_deg": 0.0}
    assert task.asked == asked
    settings = {"type": "Outer", "inner": {"type": "Inner", "waves": 3}}
    assert task.id == canonical([task.design.id, settings, asked])
    assert task.address() == canonical([task.id, "outer", 7])


def test_a_task_is_asked_as_solve_is():
    """Left out: the design's own window and device; a bare task has neither device, wavevector nor angle."""
    own = film(device={"periods": [20, 30]})
    assert Task.of(own, Outer()).device == own.device
    assert Task.of(own, Outer()).window_nm == (600.0, 700.0)
    bare = Task(own, Outer(), (600.0, 700.0))
    assert (bare.device, bare.bloch, bare.angle_deg) == (None, (0.0, 0.0), 0.0)
    other = Device(periods=(5, 5))
    task = Task.of(own, Outer(), window_nm=(610.0, 620.0), device=other, bloch=(0.1, 0.2))
    assert (task.window_nm, task.device, task.bloch) == ((610.0, 620.0), other, (0.1, 0.2))
    assert task.asked["device"] == other.model_dump(mode="json")
    assert task.asked["bloch"] == [0.1, 0.2]
    everything = {task.address(), bare.address(), replace(task, bloch=(0.1, 0.3)).address()}
    everything |= {replace(task, device=None).address(), replace(task, angle_deg=1.0).address()}
    assert len(everything) == 5


def test_a_task_passes_on_all_that_it_holds():
    device = Device(periods=(5, 6))
    task = Task(film(), Outer(), (610.0, 620.0), device, (0.1, 0.2), 3.0)
    task.run()
    (ask,) = task.settings.asked
    assert (ask.window_nm, ask.device, ask.bloch, ask.angle_deg) == ((610.0, 620.0), device, (0.1, 0.2), 3.0)


def test_the_folder_is_named_by_the_address_and_says_what_was_asked(task, tmp_path):
    store = Store(tmp_path / "new" / "store")
    folder = store.put(task, task.run())
    assert folder == store.path(task) == tmp_path / "new" / "store" / task.address()[:2] / task.address()
    text = (folder / "task.json").read_text(encoding="utf-8")
    assert text.endswith("}\n")
    assert '\n "design": {\n  "name"' in text
    assert json.loads(text) == {
        "design": {"name": "toy film", "id": task.design.id},
        "solver": "outer",
        "version": 7,
        "settings": {"type": "Outer", "inner": {"type": "Inner", "waves": 3}},
        "window_nm": [600.0, 700.0],
        "device": None,
        "bloch": [0.0, 0.0],
        "angle_deg": 0.0,
    }


def test_a_kept_failure_is_three_words(task, tmp_path):
    store = Store(tmp_path)
    folder = store.put(task, Failure("too thick", 3, "INCOMPLETE"))
    assert json.loads((folder / "solution.json").read_text()) == {
        "failure": {"message": "too thick", "exit_code": 3, "status": "INCOMPLETE"}
    }
    assert store.get(task) == Failure("too thick", 3, "INCOMPLETE")
    assert Failure("a", 2).status == ""


def test_failures_carry_the_status_where_there_is_one():
    assert Failure.of(SolverError("no", status=Status.NO_MODES)) == Failure("no", 3, "NO_MODES")
    assert Failure.of(SolverError("no")) == Failure("no", 3, "")
    assert Failure.of(InputError("is wrong", key="a.b", value=1)) == Failure("a.b: is wrong, got 1", 2, "")


def test_numbers_that_json_lacks_come_back_as_they_were():
    provenance = {
        "nan": math.nan, "inf": math.inf, "minus": -math.inf, "complex": complex(1.5, -math.inf),
        "array": np.array([[1.0, math.inf]]), "float": np.float64(2.5), "list": [math.nan, {"deep": (1, 2)}],
        "text": "nan", "none": None, "flag": True,
    }  # fmt: skip
    modes = Modes.of([Mode(650.0, -math.inf, k0_per_nm=complex(0.01, -1e-6)), Mode(640.0)])
    solution = Solution(
        modes,
        Status.NO_MODES,
        provenance,
        ("a", "b"),
        solver="outer",
        window_nm=(600.0, 700.0),
        design_id="x1",
    )
    content = json.loads(json.dumps(outcome_to_dict(solution), allow_nan=False))
    back = outcome_from_dict(content)
    assert math.isnan(back.provenance["nan"])
    assert math.isnan(back.provenance["list"][0])
    assert back.provenance["list"][1] == {"deep": [1, 2]}
    assert (back.provenance["inf"], back.provenance["minus"]) == (math.inf, -math.inf)
    assert back.provenance["complex"] == complex(1.5, -math.inf)
    assert (back.provenance["array"], back.provenance["float"]) == ([[1.0, math.inf]], 2.5)
    assert (back.provenance["text"], back.provenance["none"], back.provenance["flag"]) == ("nan", None, True)
    assert (back.status, back.warnings, back.solver) == (Status.NO_MODES, ("a", "b"), "outer")
    assert (back.window_nm, back.design_id) == ((600.0, 700.0), "x1")
    assert back.modes["q"][0] == -math.inf
    assert math.isnan(back.modes["q"][1])
    assert back.modes["k0_per_nm"][0] == complex(0.01, -1e-6)
    assert content["status"] == "NO_MODES"
    assert content["provenance"]["complex"] == {"re": 1.5, "im": {"float": "-inf"}}


def test_what_is_kept_stays_unless_it_is_replaced(tmp_path):
    settings = Outer()
    task, store = Task.of(film(), settings), Store(tmp_path)
    store.put(task, Failure("no", 3))
    store.put(task, attempt(task))
    assert store.get(task) == Failure("no", 3)
    store.put(task, attempt(task), replace=True)
    assert store.get(task).provenance["ran"] == 2
    store.put(task, Failure("no", 3))
    assert store.get(task).provenance["ran"] == 2
    assert len(settings.asked) == 2
    assert [path.name for path in store.path(task).parent.iterdir()] == [task.address()]


def test_a_result_that_another_process_kept_first_stays(task, tmp_path, monkeypatch):
    """Between the look and the renaming: no error, and nothing half-written is left."""
    store = Store(tmp_path)
    honest = module._write_json

    def slow(path, content):
        honest(path, content)
        final = store.path(task)
        if path.name == "solution.json" and not final.exists():
            final.mkdir()
            honest(final / "solution.json", outcome_to_dict(Failure("theirs", 3)))

    monkeypatch.setattr(module, "_write_json", slow)
    assert store.put(task, Failure("mine", 3)) == store.path(task)
    assert store.get(task) == Failure("theirs", 3)
    assert [path.name for path in store.path(task).parent.iterdir()] == [task.address()]


def test_a_disk_that_refuses_is_an_error_and_leaves_nothing(task, tmp_path, monkeypatch):
    def full(path, content):
        raise OSError("no space left")

    monkeypatch.setattr(module, "_write_json", full)
    store = Store(tmp_path)
    with pytest.raises(OSError, match="no space"):
        store.put(task, Failure("mine", 3))
    assert list(store.path(task).parent.iterdir()) == []
    assert store.get(task) is None


def test_a_damaged_result_says_which_folder_to_delete(task, tmp_path):
    store = Store(tmp_path)
    file = store.put(task, task.run()) / "solution.json"
    file.write_text("{")
    with pytest.raises(InputError) as caught:
        store.get(task)
    assert caught.value.file == file
    assert caught.value.message.startswith("is not a kept result (Expecting property name")
    assert caught.value.message.endswith("); delete its folder")
    file.unlink()
    file.mkdir()
    with pytest.raises(InputError, match="is not a kept result"):
        store.get(task)
