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
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cavitydesign.errors import CavityError, InputError, SolverError, Status
from cavitydesign.geometry.design import Design
from cavitydesign.kinds import Window
from cavitydesign.solvers.ask import checked_window
from cavitydesign.solvers.solution import MODE_COLUMNS, Solution
from cavitydesign.study.store import Failure, Outcome, Store, Task, attempt, write_atomically

if TYPE_CHECKING:
    import xarray

MOST_POINTS = 100_000

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
        if ":" in right:
            parts = right.split(":")
            if len(parts) != 3:
                raise InputError("a range is start:stop:step", key=f"--vary {path}", value=right)
            return cls(path, _range(*(_decimal(part, path) for part in parts), path=path))
        values = tuple(float(_decimal(part, path)) for part in right.split(","))
        if len(set(values)) != len(values):
            raise InputError("has a value twice", key=f"--vary {path}", value=right)
        return cls(path, values)


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
        pairs = zip(self.points, self.outcomes, strict=True)
        return tuple((point, outcome) for point, outcome in pairs if not is_trustworthy(outcome))

    def rows(self) -> Iterator[dict[str, Any]]:
        """One flat row per mode: values of the axes, then the columns of the modes table."""
        for point, outcome in zip(self.points, self.outcomes, strict=True):
            if isinstance(outcome, Solution):
                for row in outcome.modes:
                    yield {**point.values, **row}

    def to_dataset(self) -> xarray.Dataset:
        """An xarray Dataset: one dimension per varied path, and ``mode`` (blank where a point has fewer modes)."""
        return _dataset(self)

    def write(self, folder: Path) -> tuple[Path, Path]:
        """``sweep.nc`` and ``sweep.csv`` in a folder, each whole or not at all."""
        folder.mkdir(parents=True, exist_ok=True)
        netcdf, table = folder / "sweep.nc", folder / "sweep.csv"
        work = folder / ".sweep.nc.part"
        try:
            self.to_dataset().to_netcdf(work, engine="h5netcdf")
            work.replace(netcdf)
        finally:
            work.unlink(missing_ok=True)
        write_atomically(table, self.csv().encode())
        return netcdf, table

    def csv(self) -> str:
        """The rows as CSV; the complex wavenumber as two columns, what is not known is left empty."""
        names = [name for name in MODE_COLUMNS if name != "k0_per_nm"]
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([*(axis.path for axis in self.axes), *names, "k0_real_per_nm", "k0_imag_per_nm"])
        for row in self.rows():
            k0 = row["k0_per_nm"]
            cells = [
                *(row[axis.path] for axis in self.axes),
                *(row[name] for name in names),
                k0.real,
                k0.imag,
            ]
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
        if len(values) < 3:
            return [attempt(task) for task in tasks]
        try:
            found = follow(
                lambda value: first.design.with_value(path, value),
                values,
                window_nm=first.window_nm,
                settings=first.settings,
            )
        except CavityError as error:
            return [Failure.of(error)] * len(tasks)
        outcomes = []
        for index, task in enumerate(tasks):
            modes = found.modes_at(index)
            status = Status.INCOMPLETE if not found.proven else Status.OK if len(modes) else Status.NO_MODES
            about = {
                "solver": "poles",
                "method": "followed",
                "window_nm": list(task.window_nm),
                "design_id": task.design.id,
            }
            outcomes.append(Solution(modes, status, about))
        return outcomes

    return run


class Interrupted(Exception):
    """Ctrl-C during a sweep, with how many points are kept."""

    def __init__(self, done: int, total: int):
        self.done, self.total = done, total
        super().__init__(f"interrupted; {done} of {total} points are kept")


def is_trustworthy(outcome: Outcome) -> bool:
    """Whether an outcome is a table that may be used as it stands."""
    return isinstance(outcome, Solution) and outcome.status.trustworthy


def grid(
    design: Design, axes: Sequence[Axis], settings: Any, *, window_nm: Window | None = None
) -> tuple[Point, ...]:
    """The points of a sweep. A path that the design does not have is an error; a broken rule stays with its point."""
    paths = [axis.path for axis in axes]
    if len(set(paths)) != len(paths):
        raise InputError("varies the same number twice", key="--vary", value=", ".join(paths))
    for path in paths:
        design.value_at(path)
    count = math.prod(len(axis.values) for axis in axes)
    if count > MOST_POINTS:
        raise InputError(
            f"asks for {count} points, more than {MOST_POINTS}; sweep in parts", key="--vary", value=paths
        )
    window = checked_window(window_nm or design.window_nm)
    points = []
    for values in itertools.product(*(axis.values for axis in axes)):
        named = dict(zip(paths, values, strict=True))
        try:
            points.append(Point(named, Task(design.with_values(named), settings, window)))
        except InputError as error:
            points.append(Point(named, Failure.of(error)))
    failures = [point.task for point in points if isinstance(point.task, Failure)]
    if len(failures) == len(points):
        raise InputError(
            f"no point of the grid is a valid design; the first: {failures[0].message}", key="--vary"
        )
    return tuple(points)


def sweep(
    design: Design,
    axes: Sequence[Axis],
    settings: Any,
    *,
    window_nm: Window | None = None,
    store: Store | None = None,
    run_line: RunLine | None = None,
    jobs: int = 1,
    retry: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Sweep:
    """Solve every point of a grid.

    Args:
        design: what is swept.
        axes: its numbers that vary, and their values.
        settings: of the solver.
        window_nm: where modes are wanted.
        store: where outcomes are kept and looked up; without one nothing is kept.
        run_line: answers one line of the grid at a time, for solvers that follow their modes along it; each of
            its outcomes is kept as it comes. None solves point by point.
        jobs: processes to use where points are solved one by one.
        retry: ask again where a kept outcome is a failure.
        progress: called with points done and in all.

    Raises:
        Interrupted: on Ctrl-C; what was finished is in the store.
    """
    points = grid(design, axes, settings, window_nm=window_nm)
    outcomes: list[Outcome | None] = [_known(point, store, retry=retry) for point in points]
    width = len(axes[-1].values) if axes else 1
    count = sum(outcome is not None for outcome in outcomes)
    progress(count, len(points))
    todo = [index for index, outcome in enumerate(outcomes) if outcome is None]
    tasks = {index: task for index in todo if isinstance(task := points[index].task, Task)}
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

    pool = concurrent.futures.ProcessPoolExecutor(
        min(jobs, len(tasks)), mp_context=multiprocessing.get_context("spawn"), initializer=_ignore_interrupts
    )
    try:
        futures = {pool.submit(attempt, task): index for index, task in tasks.items()}
        for future in concurrent.futures.as_completed(futures):
            yield futures[future], future.result()
    except concurrent.futures.process.BrokenProcessPool:
        raise SolverError(
            "a worker process was ended from outside (out of memory?); use fewer --jobs",
            status=Status.PARTIAL,
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _ignore_interrupts() -> None:
    """Ctrl-C reaches every process of the terminal; the parent alone decides what is kept."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _range(start: Decimal, stop: Decimal, step: Decimal, *, path: str) -> tuple[float, ...]:
    key = f"--vary {path}"
    if step == 0 or (stop - start) / step < 0:
        raise InputError("the step must lead from start to stop", key=key, value=f"{start}:{stop}:{step}")
    count = (stop - start) / step
    if count >= MOST_POINTS:
        raise InputError(f"asks for more than {MOST_POINTS} points", key=key, value=f"{start}:{stop}:{step}")
    return tuple(float(start + index * step) for index in range(int(count) + 1))


def _decimal(text: str, path: str) -> Decimal:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        raise InputError("must be a number", key=f"--vary {path}", value=text.strip()) from None
    if not number.is_finite() or abs(number) > Decimal("1e300"):
        raise InputError("must be a finite number", key=f"--vary {path}", value=text.strip())
    return number


def _dataset(swept: Sweep) -> xarray.Dataset:
    import xarray

    dims = [axis.path for axis in swept.axes]
    shape = tuple(len(axis.values) for axis in swept.axes)
    most = max((len(found.modes) for found in swept.outcomes if isinstance(found, Solution)), default=0)
    variables: dict[str, Any] = {}
    for name, column in MODE_COLUMNS.items():
        attrs = {"units": column.unit, "long_name": column.meaning}
        blank: Any = {str: "", int: 0, complex: complex(math.nan, math.nan)}.get(column.kind, math.nan)
        full = np.full((len(swept.points), most), blank, dtype=object if column.kind is str else column.kind)
        for row, found in enumerate(swept.outcomes):
            if isinstance(found, Solution):
                full[row, : len(found.modes)] = found.modes[name]
        full = full.reshape(*shape, most)
        if column.kind is complex:  # netCDF has no complex numbers
            variables[f"{name}_real"] = ([*dims, "mode"], np.real(full), attrs)
            variables[f"{name}_imag"] = ([*dims, "mode"], np.imag(full), attrs)
        else:
            variables[name] = ([*dims, "mode"], full.astype(str) if column.kind is str else full, attrs)
    says = [
        (f.status.name, "; ".join(f.warnings)) if isinstance(f, Solution) else ("FAILED", f.message)
        for f in swept.outcomes
    ]
    counts = [len(found.modes) if isinstance(found, Solution) else 0 for found in swept.outcomes]
    variables["modes_found"] = (
        dims,
        np.reshape(counts, shape),
        {"long_name": "rows of this point that are filled"},
    )
    for at, name in enumerate(("status", "message")):
        variables[name] = (dims, np.reshape(np.array([pair[at] for pair in says], dtype=str), shape))
    coords = {axis.path: (axis.path, np.array(axis.values)) for axis in swept.axes}
    return xarray.Dataset(variables, coords=coords, attrs=_provenance(swept))


def _provenance(swept: Sweep) -> dict[str, str]:
    from cavitydesign import __version__

    task = next(point.task for point in swept.points if isinstance(point.task, Task))
    assumed = "; ".join(f"{record.path} = {record.value:g}" for record in swept.design.assumed())
    return {
        "design": swept.design.name,
        "design_id": swept.design.id,
        "solver": task.solver,
        "window_nm": f"{task.window_nm[0]:g}:{task.window_nm[1]:g}",
        "cavitydesign": __version__,
        "assumed": assumed,
    }
