"""How many small faults in gain/ and study/ do the tests catch? `make mutants` breaks lines one at a time and counts.

The operators are mutmut's. mutmut itself runs every mutant there is; this draws a sample with a fixed seed, first a
place and then one of the ways to break it. Prose (a string with a space in it) is left alone. All happens in copies of
what git tracks, one a process; the checkout is only read. A mutant is caught by a test that fails or no longer ends.

Two changes that no test can notice are left out: ``strict=`` of a zip, which guards against a defect and does nothing
while there is none; and None for NaN or False put into a part of an array, which numpy takes for the same.
"""

from __future__ import annotations

import argparse
import difflib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import libcst as cst
from libcst import matchers
from mutmut.mutation.file_mutation import create_mutations, deep_replace

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("cavitydesign/gain", "cavitydesign/study")
TESTS = ("tests/gain", "tests/study")
SLOWEST = 4.0  # times the unbroken run, then a mutant hangs


@dataclass(frozen=True)
class Mutant:
    """One broken file: its path in the checkout, its text, and the change as a person reads it."""

    path: str
    text: str
    change: str


@dataclass(frozen=True)
class Place:
    """A piece of code that can be broken, in one way or several."""

    path: Path
    source: str
    module: cst.Module
    old: cst.CSTNode
    new: tuple[cst.CSTNode, ...]

    def broken(self, way: int, *, root: Path = ROOT) -> Mutant:
        """The file with this place broken in one way."""
        name = self.path.relative_to(root).as_posix()
        module: Any = deep_replace(self.module, self.old, self.new[way])
        return Mutant(name, module.code, _change(self.source, module.code, name))


def places(path: Path) -> list[Place]:
    """All places of a file."""
    source = path.read_text(encoding="utf-8")
    module, found, *_ = create_mutations(str(path), source)
    named = matchers.findall(module, matchers.Arg(keyword=matchers.Name("strict")))
    guards = {id(cst.ensure_type(arg, cst.Arg).value) for arg in named}
    ways: dict[int, list[Any]] = defaultdict(list)
    for mutation in found:
        old, new = mutation.original_node, mutation.mutated_node
        prose = isinstance(old, cst.BaseString) and " " in module.code_for_node(old).strip()
        if not (prose or id(old) in guards or _alike(module, old, new)):
            ways[id(old)].append(mutation)
    return [
        Place(path, source, module, same[0].original_node, tuple(each.mutated_node for each in same))
        for same in ways.values()
    ]


def sample(count: int, *, seed: int, rooms: Sequence[str] = ROOMS, root: Path = ROOT) -> list[Mutant]:
    """``count`` random mutants of the rooms, no two at one place."""
    files = sorted(path for room in rooms for path in (root / room).rglob("*.py"))
    every = [place for path in files for place in places(path)]
    chance = random.Random(seed)
    chosen = chance.sample(every, min(count, len(every)))
    return [place.broken(chance.randrange(len(place.new)), root=root) for place in chosen]


def copied(target: Path, *, root: Path = ROOT) -> Path:
    """A copy of what git would keep of the checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (root / name).is_file() and not (root / name).is_symlink():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / name, target / name)
    return target


def passes(copy: Path, tests: Sequence[str], *, timeout_s: float) -> bool | None:
    """Whether the tests pass in a copy; None when they did not end in time."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(copy),  # before the checkout that the environment knows
        "PYTHONDONTWRITEBYTECODE": "1",  # two mutants of one second and one size would share their bytecode
        "HYPOTHESIS_STORAGE_DIRECTORY": str(copy / ".hypothesis"),
    }
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-m", "not slow", "-p", "no:cacheprovider", *tests]
    with subprocess.Popen(
        command, cwd=copy, env=environment, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as running:  # fmt: skip
        try:
            return running.wait(timeout_s) == 0
        except subprocess.TimeoutExpired:
            return None
        finally:
            if running.poll() is None:
                os.killpg(running.pid, signal.SIGKILL)


def survives(mutant: Mutant, copy: Path, tests: Sequence[str], *, timeout_s: float) -> bool:
    """Break the copy, run the tests named after the file, those of its room and then the others, mend the copy."""
    room, stem = mutant.path.split("/")[1], Path(mutant.path).stem
    near = [path.relative_to(copy).as_posix() for path in sorted(copy.glob(f"tests/{room}/test_{stem}*.py"))]
    first = [*near, *sorted(tests, key=lambda name: Path(name).name != room)]
    target = copy / mutant.path
    whole = target.read_text(encoding="utf-8")
    target.write_text(mutant.text, encoding="utf-8")
    try:
        return passes(copy, first, timeout_s=timeout_s) is True
    finally:
        target.write_text(whole, encoding="utf-8")


def run(chosen: Sequence[Mutant], tests: Sequence[str], *, jobs: int, root: Path = ROOT) -> list[Mutant]:
    """The mutants that no test notices."""
    with tempfile.TemporaryDirectory(prefix="cavitydesign-mutants-") as folder:
        copies: SimpleQueue[Path] = SimpleQueue()
        for index in range(jobs):
            copies.put(copied(Path(folder) / str(index), root=root))
        began, first = time.monotonic(), copies.get()
        if not passes(first, tests, timeout_s=1800.0):
            raise SystemExit("mutants: the tests fail before anything is broken")
        copies.put(first)
        timeout_s = 30.0 + SLOWEST * (time.monotonic() - began)

        def judge(mutant: Mutant) -> bool:
            copy = copies.get()
            try:
                alive = survives(mutant, copy, tests, timeout_s=timeout_s)
            finally:
                copies.put(copy)
            print("S" if alive else ".", end="", flush=True)
            return alive

        with ThreadPoolExecutor(jobs) as pool:
            verdicts = list(pool.map(judge, chosen))
    print()
    return [mutant for mutant, alive in zip(chosen, verdicts, strict=True) if alive]


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw, break, count; prints each survivor as a difference."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=200, help="number of mutants (200)")
    parser.add_argument("--seed", type=int, default=7, help="of the sample (7)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (2)")
    parser.add_argument("--tests", nargs="+", default=list(TESTS), help="what may catch them")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    chosen = sample(options.count, seed=options.seed)
    alive = run(chosen, options.tests, jobs=options.jobs)
    for mutant in alive:
        print(mutant.change)
    minutes = (time.monotonic() - began) / 60.0
    print(
        f"{len(alive)} of {len(chosen)} mutants survive ({len(alive) / max(1, len(chosen)):.0%}); {minutes:.0f} min"
    )
    return 0


def _alike(module: cst.Module, old: cst.CSTNode, new: cst.CSTNode) -> bool:
    """Whether two pieces differ in ``strict=`` alone, or put NaN (or False) and None into a part of an array."""
    was, now = (
        "".join(re.sub(r",\s*strict=\w+|,(?=\s*\))", "", module.code_for_node(node)).split())
        for node in (old, new)
    )
    into = isinstance(old, cst.Assign) and isinstance(old.targets[0].target, cst.Subscript)
    return was == now or (into and re.sub(r"=\(?(np\.nan|math\.nan|False)\)?$", "=None", was) == now)


def _change(before: str, after: str, name: str) -> str:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), name, name, n=0, lineterm="")
    return "\n".join(line for line in lines if not line.startswith("---"))


if __name__ == "__main__":
    sys.exit(main())
