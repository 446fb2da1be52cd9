"""The same question over a grid of designs: resumable, interruptible, and a table at the end.

Each point is a task of the store, so a sweep is "skip what exists". A point whose design breaks a rule (a pillar
wider than its cell at a small period) or whose solver gives up stays in the table with its message and without modes.
"""

from __future__ import annotations

import csv
import io
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cavitydesign.errors import CavityError, InputError, SolverError, Status
from cavitydesign.files import MOST_NUMBERS, parse_range, write_atomically
from cavitydesign.geometry.design import Design
from cavitydesign.solvers.ask import Progress, Solver, checked_design, silent
from cavitydesign.solvers.poles import Poles
from cavitydesign.solvers.solution import MODE_COLUMNS, Mode, Modes, Solution, dataset_variables
from cavitydesign.study.store import Failure, Outcome, Store, Task, attempt

if TYPE_CHECKING:
    import xarray

RunLine = Callable[[Sequence[Task]], Iterable[Outcome]]
"""Answers the tasks of one line of the grid (the last parameter runs fastest), in order."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One varied number: its dotted path and its values."""

    path: str
    values: tuple[float, ...]

    @classmethod
    def parse(cls, text: str) -> Axis:
        """``path=start:stop:step`` (stop included), ``path=a,b,c`` or ``path=value``; decimal steps stay exact."""
        path, equals, right = text.partition("=")
        path, right = path.strip(), right.strip()
        if not equals or not path or not right:
            raise InputError("is written path=start:stop:step or path=a,b,c", key="--vary", value=text)
        return cls(path, parse_range(right, key=f"--vary {path}"))


@dataclass(frozen=True, slots=True)
class Point:
    """One point of the grid: the values of its axes, and its task or why there is none."""

    values: Mapping[str, float]
    task: Task | Failure


@dataclass(frozen=True)
class Sweep:
    """A finished sweep: axes, points and outcomes in grid order (last axis fastest)."""

    design: Design
    axes: tuple[Axis, ...]
    points: tuple[Point, ...]
    outcomes: tuple[Outcome, ...]

    @property
    def failed(self) -> tuple[tuple[Point, Outcome], ...]:
        """The points without a trustworthy answer."""
        return tuple(
            (point, found)
            for point, found in zip(self.points, self.outcomes, strict=True)
            if isinstance(found, Failure) or not found.status.trustworthy
        )

    def rows(self) -> Iterator[tuple[Point, Mode]]:
        """Every mode with its point, in grid order."""
        for point, outcome in zip(self.points, self.outcomes, strict=True):
            if isinstance(outcome, Solution):
                for mode in outcome.modes:
                    yield point, mode

    def to_dataset(self) -> xarray.Dataset:
        """An xarray Dataset: one dimension per varied path, and ``mode`` (blank where a point has fewer modes)."""
        import xarray

        from cavitydesign import __version__

        dims = [axis.path for axis in self.axes]
        shape = tuple(len(axis.values) for axis in self.axes)
        tables = [found.modes if isinstance(found, Solution) else Modes.empty() for found in self.outcomes]
        counts = [len(table) for table in tables]
        most = max(counts, default=0)
        columns = {}
        for name, column in MODE_COLUMNS.items():
            dtype = object if column.kind is str else column.kind
            full = np.full((len(self.points), most), column.blank, dtype=dtype)
            for row, table in enumerate(tables):
                full[row, : len(table)] = table[name]
            columns[name] = full.reshape(*shape, most)
        variables = dataset_variables(columns, [*dims, "mode"])
        says = [
            (f.status.name, "; ".join(f.warnings)) if isinstance(f, Solution) else ("FAILED", f.message)
            for f in self.outcomes
        ]
        filled = {"long_name": "rows of this point that are filled"}
        variables["modes_found"] = (dims, np.reshape(counts, shape), filled)
        for name, words in zip(("status", "message"), zip(*says, strict=True), strict=True):
            variables[name] = (dims, np.reshape(np.array(words, dtype=str), shape))
        coords = {axis.path: (axis.path, np.array(axis.values)) for axis in self.axes}
        task = next(point.task for point in self.points if isinstance(point.task, Task))
        about = {
            "design": self.design.name,
            "design_id": self.design.id,
            "solver": task.settings.name,
            "window_nm": f"{task.window_nm[0]:g}:{task.window_nm[1]:g}",
            "cavitydesign": __version__,
            **{
                name: "; ".join(f"{record.path} = {record.value:g}" for record in records)
                for name, records in (("assumed", self.design.assumed()), ("fitted", self.design.fitted()))
            },
        }
        return xarray.Dataset(variables, coords=coords, attrs=about)

    def write(self, folder: Path) -> tuple[Path, Path]:
        """``sweep.nc`` and ``sweep.csv`` in a folder, each whole or not at all."""
        folder.mkdir(parents=True, exist_ok=True)
        netcdf, table = folder / "sweep.nc", folder / "sweep.csv"
        memory = io.BytesIO()
        self.to_dataset().to_netcdf(memory, engine="h5netcdf")
        write_atomically(netcdf, memory.getvalue())
        write_atomically(table, self.csv().encode())
        return netcdf, table

    def csv(self) -> str:
        """The rows as CSV; the complex wavenumber as two columns, what is not known is left empty."""
        names = [name for name in MODE_COLUMNS if name != "k0_per_nm"]
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([*(axis.path for axis in self.axes), *names, "k0_real_per_nm", "k0_imag_per_nm"])
        for point, mode in self.rows():
            cells = [point.values[axis.path] for axis in self.axes]
            cells += [getattr(mode, name) for name in names]
            cells += [mode.k0_per_nm.real, mode.k0_per_nm.imag]
            writer.writerow(["" if isinstance(cell, float) and math.isnan(cell) else cell for cell in cells])
        return out.getvalue()


def following(path: str) -> RunLine:
    """Lines along ``path`` by following each mode from point to point (poles, patterned stacks): many times quicker.

    Every point carries its line's verdict: OK where every fresh search on the way agreed with what was followed.
    """

    def run(tasks: Sequence[Task]) -> Iterable[Outcome]:
        from cavitydesign.study.follow import follow

        first = tasks[0]
        values = [task.design.value_at(path) for task in tasks]
        if len(values) < 3 or not isinstance(first.settings, Poles):
            return [attempt(task) for task in tasks]
        try:
            found = follow(
                lambda value: first.design.with_value(path, value),
                values,
                window_nm=first.window_nm,
                settings=first.settings,
                bloch=first.bloch,
            )
        except CavityError as error:
            return [Failure.of(error)] * len(tasks)
        return [_followed(task, found.modes_at(index), found.proven) for index, task in enumerate(tasks)]

    return run


def _followed(task: Task, modes: Modes, proven: bool) -> Solution:
    status = Status.INCOMPLETE if not proven else Status.OK if len(modes) else Status.NO_MODES
    return Solution(
        modes, status, {"method": "followed"},
        solver=task.settings.name, window_nm=task.window_nm, design_id=task.design.id,
    )  # fmt: skip


class Interrupted(Exception):
    """Ctrl-C during a sweep, with how many points are kept."""

    def __init__(self, done: int, total: int):
        self.done, self.total = done, total
        super().__init__(f"interrupted; {done} of {total} points are kept")


def grid(design: Design, axes: Sequence[Axis], settings: Solver, **asked: Any) -> tuple[Point, ...]:
    """The points of a sweep. A path that the design does not have is an error; a broken rule stays with its point."""
    paths = [axis.path for axis in axes]
    if len(set(paths)) != len(paths):
        raise InputError("varies the same number twice", key="--vary", value=", ".join(paths))
    for path in paths:
        checked_design(design).value_at(path)
    count = math.prod(len(axis.values) for axis in axes)
    if count > MOST_NUMBERS:
        rule = f"asks for {count} points, more than {MOST_NUMBERS}; sweep in parts"
        raise InputError(rule, key="--vary", value=paths)
    Task.of(design, settings, **asked)  # a wrong question is one complaint, not one for each point
    points = []
    for values in itertools.product(*(axis.values for axis in axes)):
        named = dict(zip(paths, values, strict=True))
        try:
            points.append(Point(named, Task.of(design.with_values(named), settings, **asked)))
        except InputError as error:
            points.append(Point(named, Failure.of(error)))
    first = points[0].task
    if isinstance(first, Failure) and all(isinstance(point.task, Failure) for point in points):
        raise InputError(f"no point of the grid is a valid design; the first: {first.message}", key="--vary")
    return tuple(points)


def sweep(
    design: Design,
    axes: Sequence[Axis],
    settings: Solver,
    *,
    store: Store | None = None,
    run_line: RunLine | None = None,
    jobs: int = 1,
    retry: bool = False,
    progress: Progress = silent,
    **asked: Any,
) -> Sweep:
    """Solve every point of a grid.

    Args:
        design: what is swept.
        axes: its numbers that vary, and their values.
        settings: of the solver.
        store: where outcomes are kept and looked up; without one nothing is kept.
        run_line: answers one line of the grid at a time, for solvers that follow their modes along it; each of
            its outcomes is kept as it comes. None solves point by point.
        jobs: processes to use where points are solved one by one.
        retry: ask again where a kept outcome is a failure.
        progress: called with points done and in all.
        asked: window, device, bloch, angle, as :func:`cavitydesign.solvers.ask.solve` takes them.

    Raises:
        Interrupted: on Ctrl-C; what was finished is in the store.
    """
    points = grid(design, axes, settings, **asked)
    outcomes: list[Outcome | None] = [_known(point, store, retry=retry) for point in points]
    width = len(axes[-1].values) if axes else 1
    count = sum(outcome is not None for outcome in outcomes)
    progress(count, len(points))
    asks = zip(points, outcomes, strict=True)
    tasks = {at: p.task for at, (p, known) in enumerate(asks) if known is None and isinstance(p.task, Task)}
    answers = _lines(tasks, width, run_line) if run_line else _one_by_one(tasks, jobs)
    try:
        for index, outcome in answers:
            if store:
                store.put(tasks[index], outcome, replace=retry)
            outcomes[index] = outcome
            count += 1
            progress(count, len(points))
    except KeyboardInterrupt:
        raise Interrupted(count, len(points)) from None
    return Sweep(design, tuple(axes), points, tuple(outcome for outcome in outcomes if outcome is not None))


def _known(point: Point, store: Store | None, *, retry: bool) -> Outcome | None:
    if isinstance(point.task, Failure):
        return point.task
    kept = store.get(point.task) if store else None
    return None if retry and isinstance(kept, Failure) else kept


def _lines(tasks: Mapping[int, Task], width: int, run_line: RunLine) -> Iterator[tuple[int, Outcome]]:
    for _, group in itertools.groupby(tasks, key=lambda index: index // width):
        line = list(group)
        yield from zip(line, run_line([tasks[index] for index in line]), strict=True)


def _one_by_one(tasks: Mapping[int, Task], jobs: int) -> Iterator[tuple[int, Outcome]]:
    if jobs < 1:
        raise InputError("must be at least 1", key="--jobs", value=jobs)
    if jobs == 1 or len(tasks) < 2:
        for index, task in tasks.items():
            yield index, attempt(task)
        return
    import concurrent.futures.process
    import multiprocessing
    import signal

    pool = concurrent.futures.ProcessPoolExecutor(
        min(jobs, len(tasks)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=signal.signal,  # Ctrl-C reaches every process; the parent alone decides what is kept
        initargs=(signal.SIGINT, signal.SIG_IGN),
    )
    try:
        futures = {pool.submit(attempt, task): index for index, task in tasks.items()}
        for future in concurrent.futures.as_completed(futures):
            yield futures[future], future.result()
    except concurrent.futures.process.BrokenProcessPool:
        rule = "a worker process was ended from outside (out of memory?); use fewer --jobs"
        raise SolverError(rule, status=Status.PARTIAL) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
