"""A toy solver defined inside a test file, used through the public API: one class is all that a solver needs."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from cavitydesign import design_from_dict, solve
from cavitydesign.errors import InputError, Status
from cavitydesign.solvers import Mode, Modes, Poles, Solution, Solver, known
from cavitydesign.study.calibrate import calibrate
from cavitydesign.study.predict import predict
from cavitydesign.study.store import Store, Task
from cavitydesign.study.tolerance import propagate
from tests.study.toy import THICKNESS, THICKNESS_NM, film, peak

runs = []


@dataclass(frozen=True)
class Own(Solver):
    """One mode, whose wavelength follows the thickness."""

    name = "own"
    version = 5
    asks = ("bloch",)

    slope: float = 0.5

    def run(self, ask):
        runs.append(ask)
        ask.progress(1, 1, "toying")
        at = 640.0 + self.slope * (ask.stack.layers[1].thickness_nm - THICKNESS_NM) + 1e3 * ask.bloch[0]
        mode = Mode(at, 2000.0, "E", 1, "TE", confinement=0.3, threshold_gain_per_cm=100.0, outward_share=1.0)
        return Solution(Modes.of([mode]), Status.OK, {"made": "by hand"})


def test_solve():
    told = []
    found = solve(film(), Own(), bloch=(0.001, 0.0), progress=lambda *said: told.append(said))
    assert found.modes[0].wavelength_nm == 641.0
    assert (found.solver, found.window_nm, found.design_id) == ("own", (600.0, 700.0), film().id)
    assert found.provenance["solver_version"] == 5
    assert found.provenance["made"] == "by hand"
    assert told == [(1, 1, "toying")]
    with pytest.raises(InputError, match="'own' looks at") as caught:
        solve(film(), Own(), angle_deg=5.0)
    assert caught.value.key == "angle_deg"


def test_kept_results(tmp_path):
    store, task = Store(tmp_path), Task.of(film(), Own())
    runs.clear()
    first = task.run()
    store.put(task, first)
    again = store.get(task)
    assert isinstance(again, Solution)
    assert len(runs) == 1
    assert again.modes.records() == first.modes.records()
    other = Task.of(film(), Own(slope=0.6))
    assert store.path(other) != store.path(task)
    newer = type("Own", (Own,), {"version": 6})
    assert store.path(Task.of(film(), newer())) != store.path(task)


def test_predict_tolerance_and_calibrate():
    (line,) = predict(film(), Own()).lines
    assert line.lases
    assert line.input_errors.wavelength_nm == pytest.approx(5.0)
    (item,) = propagate(film(), Own(), solve(film(), Own())).sensitivities
    assert (item.path, item.wavelength_nm) == (THICKNESS, pytest.approx([5.0]))
    found = calibrate(film(), [peak(643.0)], Own())
    assert found.fitted[0].pull == pytest.approx(15.0 / 26.0)


def test_it_is_no_solver_of_the_package():
    assert "own" not in known()


@pytest.mark.parametrize("lacks", ["name", "version"])
def test_a_solver_must_say_name_and_version(lacks):
    content = {"name": "x", "version": 1}
    del content[lacks]
    with pytest.raises(TypeError, match=f"needs a class attribute '{lacks}'"):
        type("Nameless", (Solver,), content)
    with pytest.raises(TypeError, match="version"):
        type("Wrong", (Solver,), {"name": "x", "version": "1"})


def test_what_is_no_solver_is_refused():
    with pytest.raises(InputError, match="no solver's settings"):
        solve(film(), Own)


def test_what_a_solver_does_not_look_at_is_said():
    grating = {
        "name": "grating", "family": "stack", "lattice": {"kind": "line", "period_nm": 400.0},
        "device": {"periods": 200},
        "layers": [
            {"material": {"n": 1.0}}, {"material": {"n": 2.0}, "thickness_nm": THICKNESS_NM},
            {"material": {"n": 1.46}},
        ],
    }  # fmt: skip
    design = design_from_dict(grating)
    (said,) = solve(design, Own(), window_nm=(600.0, 700.0)).warnings
    assert said == "the infinite array: own does not look at [device], 200 periods"
    assert solve(design, Own(), window_nm=(600.0, 700.0), device=None).warnings == ()


def test_an_answer_that_is_none_is_a_defect_of_the_solver(monkeypatch):
    monkeypatch.setattr(Own, "run", lambda self, ask: None)
    with pytest.raises(TypeError, match="must answer with a Solution, not with NoneType"):
        solve(film(), Own())


def test_the_name_of_a_solver_of_the_package_is_taken():
    content = {"name": "poles", "version": 1}
    with pytest.raises(TypeError, match=r"cavitydesign\.solvers\.poles\.Poles is the solver 'poles' already"):
        type("Mine", (Solver,), content)
    assert type("Mine", (Poles,), content).name == "poles", "a variant of it may keep its name"
