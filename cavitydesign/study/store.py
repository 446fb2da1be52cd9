"""Results kept on disk under the address of what was asked.

::

    DIR/3f/3f9a…/task.json       design id, solver, solver's version, settings, window
                /solution.json   modes, status, provenance   (or the failure)

The address is the SHA-256 of task id + solver name + solver version; a person raises a solver's ``version`` when its
numbers change. A folder exists only when whole: it is written beside its place and renamed. Failures are kept
with their status and are tried again only on request. JSON only, floats as their shortest exact text; never pickle.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cavitydesign.errors import CavityError, InputError, Status
from cavitydesign.geometry.design import Design, Device
from cavitydesign.kinds import Window
from cavitydesign.solvers.ask import Ask, Solver, solve
from cavitydesign.solvers.solution import MODE_COLUMNS, Modes, Solution


@dataclass(frozen=True, slots=True)
class Task:
    """One question that can be kept: the modes of a design, by the solver of these settings."""

    design: Design
    settings: Solver
    window_nm: Window
    device: Device | None = None
    bloch: tuple[float, float] = (0.0, 0.0)
    angle_deg: float = 0.0

    @classmethod
    def of(cls, design: Design, settings: Solver, **asked: Any) -> Task:
        """A task, asked as :func:`cavitydesign.solvers.ask.solve` is; without a window or device, the design's own."""
        ask = Ask.of(design, **asked)
        return cls(design, settings, ask.window_nm, ask.device, ask.bloch, ask.angle_deg)

    @property
    def asked(self) -> dict[str, Any]:
        """What is asked beside design and settings, as JSON has it."""
        device = None if self.device is None else self.device.model_dump(mode="json")
        return {
            "window_nm": list(self.window_nm),
            "device": device,
            "bloch": list(self.bloch),
            "angle_deg": self.angle_deg,
        }

    @property
    def id(self) -> str:
        """SHA-256 over design, settings and question, floats never rounded."""
        content = [self.design.id, plain_settings(self.settings), self.asked]
        return hashlib.sha256(_canonical(content)).hexdigest()

    def address(self) -> str:
        """Where its result is kept: SHA-256 of id + solver name + solver version."""
        content = [self.id, self.settings.name, self.settings.version]
        return hashlib.sha256(_canonical(content)).hexdigest()

    def run(self) -> Solution:
        """Ask the solver."""
        return solve(
            self.design, self.settings, window_nm=self.window_nm, device=self.device, bloch=self.bloch,
            angle_deg=self.angle_deg,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Failure:
    """A task that gave no table: why, and the exit code that belongs to it."""

    message: str
    exit_code: int
    status: str = ""

    @classmethod
    def of(cls, error: CavityError) -> Failure:
        """What an error of this package says."""
        status = getattr(error, "status", None)
        return cls(str(error), error.exit_code, status.name if isinstance(status, Status) else "")


Outcome = Solution | Failure


@dataclass(frozen=True)
class Store:
    """A folder of results."""

    root: Path

    def path(self, task: Task) -> Path:
        """Where the result of ``task`` is, or will be."""
        address = task.address()
        return self.root / address[:2] / address

    def get(self, task: Task) -> Outcome | None:
        """The kept outcome, or None. A folder that cannot be read is an error that says which."""
        file = self.path(task) / "solution.json"
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise InputError(f"is not a kept result ({error}); delete its folder", file=file) from None
        return outcome_from_dict(content)

    def put(self, task: Task, outcome: Outcome, *, replace: bool = False) -> Path:
        """Keep an outcome: all of it or nothing. What is there already stays, unless ``replace``."""
        final = self.path(task)
        if final.exists() and not replace:
            return final
        about = {
            "design": {"name": task.design.name, "id": task.design.id},
            "solver": task.settings.name,
            "version": task.settings.version,
            "settings": plain_settings(task.settings),
            **task.asked,
        }
        final.parent.mkdir(parents=True, exist_ok=True)
        work = final.parent / f".{final.name[:16]}.{uuid.uuid4().hex}"
        work.mkdir()
        try:
            _write_json(work / "task.json", about)
            _write_json(work / "solution.json", outcome_to_dict(outcome))
            if replace and final.exists():
                shutil.rmtree(final)
            work.rename(final)
        except OSError:
            if not final.exists():  # otherwise another process was first, with the same result
                raise
        finally:
            shutil.rmtree(work, ignore_errors=True)
        return final


def attempt(task: Task) -> Outcome:
    """Run a task; an error of this package becomes a :class:`Failure`, any other one is a defect and is raised."""
    try:
        return task.run()
    except CavityError as error:
        return Failure.of(error)


def plain_settings(settings: Solver) -> dict[str, Any]:
    """Settings as plain content, with the name of their type; fields that change no number are left out.

    Such fields (how many processes, which folder) are declared with ``compare=False``.
    """
    if not dataclasses.is_dataclass(settings) or isinstance(settings, type):
        raise InputError("settings are a value such as Poles()", key="settings", value=settings)
    content: dict[str, Any] = {"type": type(settings).__name__}
    for item in dataclasses.fields(settings):
        if item.compare:
            value = getattr(settings, item.name)
            content[item.name] = plain_settings(value) if isinstance(value, Solver) else value
    return content


def outcome_to_dict(outcome: Outcome) -> dict[str, Any]:
    """An outcome as JSON content that :func:`outcome_from_dict` reads back without loss."""
    if isinstance(outcome, Failure):
        return {"failure": dataclasses.asdict(outcome)}
    return _exact(
        {
            "status": outcome.status.name,
            "solver": outcome.solver,
            "window_nm": outcome.window_nm,
            "design_id": outcome.design_id,
            "warnings": outcome.warnings,
            "provenance": outcome.provenance,
            "modes": {name: outcome.modes[name] for name in MODE_COLUMNS},
        }
    )


def outcome_from_dict(content: Mapping[str, Any]) -> Outcome:
    """The inverse of :func:`outcome_to_dict`."""
    if "failure" in content:
        return Failure(**content["failure"])
    content = _inexact(content)
    low, high = content["window_nm"]
    return Solution(
        Modes.from_columns(**content["modes"]), Status[content["status"]], content["provenance"],
        tuple(content["warnings"]), solver=content["solver"], window_nm=(low, high), design_id=content["design_id"],
    )  # fmt: skip


def _exact(value: Any) -> Any:
    """JSON has no NaN, infinities, complex numbers or numpy types; these become words, pairs and plain numbers."""
    if isinstance(value, complex):
        return {"re": _exact(value.real), "im": _exact(value.imag)}
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    if isinstance(value, Mapping):
        return {str(name): _exact(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(item) for item in value]
    if isinstance(value, np.generic | np.ndarray):
        return _exact(value.tolist())
    return value


def _inexact(value: Any) -> Any:
    if isinstance(value, Mapping):
        if set(value) == {"re", "im"}:
            return complex(_inexact(value["re"]), _inexact(value["im"]))
        if set(value) == {"float"}:
            return float(value["float"])
        return {name: _inexact(item) for name, item in value.items()}
    return [_inexact(item) for item in value] if isinstance(value, list) else value


def _canonical(content: Any) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
