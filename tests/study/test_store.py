"""The store: what is kept reads back exactly, under an address that depends on everything that was asked."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cavitydesign import design_from_dict
from cavitydesign.errors import InputError, SolverError, Status
from cavitydesign.solvers.bragg import Bragg
from cavitydesign.solvers.poles import Poles
from cavitydesign.solvers.solution import Modes, Solution
from cavitydesign.study import store as store_module
from cavitydesign.study.store import (
    Failure,
    Store,
    Task,
    attempt,
    outcome_from_dict,
    outcome_to_dict,
)

SLAB = {
    "name": "slab",
    "family": "stack",
    "layers": [
        {"material": {"n": 1.0}},
        {"material": {"n": 2.0}, "thickness_nm": 200.0},
        {"material": {"n": 1.46}},
    ],
}


@pytest.fixture
def task():
    return Task.of(design_from_dict(SLAB), Poles())


def a_solution(wavelengths=(650.0, 640.0)):
    count = len(wavelengths)
    modes = Modes.from_columns(
        wavelength_nm=list(wavelengths),
        q=[math.inf, -3.5, 12.25][:count],
        symmetry=["E", "B1", "A2"][:count],
        degeneracy=[2, 1, 1][:count],
        k0_per_nm=[2 * math.pi / w - 1e-6j for w in wavelengths],
    )
    return Solution(
        modes,
        Status.UNCONVERGED,
        {"elapsed_s": 0.25, "waves": np.int64(49), "bad": math.nan},
        ("one warning",),
        window_nm=(600.0, 700.0),
    )


def same(one: Solution, two: Solution) -> bool:
    columns = all(
        np.array_equal(one.modes[name], two.modes[name], equal_nan=one.modes[name].dtype.kind in "fc")
        for name in one.modes.columns
    )
    return columns and (one.status, one.warnings) == (two.status, two.warnings)


def test_a_solution_reads_back_bit_for_bit_through_json(task, tmp_path):
    store, solution = Store(tmp_path), a_solution()
    assert store.get(task) is None
    folder = store.put(task, solution)
    assert same(store.get(task), solution)
    assert store.get(task).provenance["waves"] == 49
    assert math.isnan(store.get(task).provenance["bad"])
    assert sorted(file.name for file in folder.iterdir()) == ["solution.json", "task.json"]
    assert [path.name for path in folder.parent.iterdir()] == [folder.name], "no half-written folder is left"


@given(st.lists(st.floats(min_value=1.0, max_value=1e4), min_size=0, max_size=3))
def test_any_wavelengths_survive_json(wavelengths):
    solution = a_solution(wavelengths)
    assert same(
        outcome_from_dict(json.loads(json.dumps(outcome_to_dict(solution), allow_nan=False))), solution
    )


def test_the_address_depends_on_design_settings_window_and_version(task, monkeypatch):
    base = task.address()
    assert Task.of(design_from_dict(SLAB), Poles()).address() == base
    others = [
        replace(task, design=task.design.with_value("layers.1.thickness_nm", 200.0 + 1e-12)),
        replace(task, settings=Poles(tolerance_nm=0.02)),
        replace(task, settings=Bragg()),
        replace(task, window_nm=(560.0, 701.0)),
    ]
    assert len({base, *(other.address() for other in others)}) == 5
    monkeypatch.setattr(Poles, "version", Poles.version + 1)
    assert task.address() != base


def test_what_is_kept_stays_unless_replaced(task, tmp_path):
    store = Store(tmp_path)
    store.put(task, a_solution((650.0,)))
    store.put(task, a_solution((660.0,)))
    assert store.get(task).modes["wavelength_nm"].tolist() == [650.0]
    store.put(task, a_solution((660.0,)), replace=True)
    assert store.get(task).modes["wavelength_nm"].tolist() == [660.0]


def test_a_failure_is_kept_with_status_and_exit_code(task, tmp_path, monkeypatch):
    def fails(*_, **__):
        raise SolverError("no trustworthy\nanswer", status=Status.INCOMPLETE)

    monkeypatch.setattr(store_module, "solve", fails)
    store = Store(tmp_path)
    store.put(task, attempt(task))
    assert store.get(task) == Failure("no trustworthy answer", 3, "INCOMPLETE")


def test_a_defect_is_no_failure(task, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(store_module, "solve", broken)
    with pytest.raises(ZeroDivisionError):
        attempt(task)


def test_a_damaged_result_names_its_file(task, tmp_path):
    store = Store(tmp_path)
    file = store.put(task, a_solution()) / "solution.json"
    file.write_text("{")
    with pytest.raises(InputError, match=r"solution\.json"):
        store.get(task)
