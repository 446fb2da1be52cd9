"""The client side of the process that runs Meep: find it, start it, watch it, end it, read what it left.

Each job gets a folder of its own with a name no other run has, holding job.json, log.txt (stdout and stderr of the
worker) and, when it is done, result.json and series.npz. A finished folder is renamed to the digest of its job, so
that a later run of the same job is a look-up, and two runs side by side never share a folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from cavitydesign.errors import SolverError, Status, Unavailable
from cavitydesign.solvers.ask import Progress, silent

WORKER = Path(__file__).with_name("worker.py")
WORKER_FILES = (WORKER, WORKER.with_name("fitting.py"))
"""What runs in Meep's interpreter."""
INSTALL = (
    "sudo apt-get install python3-meep-mpi-default python3-matplotlib python3-mpi4py (Debian, Ubuntu), "
    "or conda create -n meep -c conda-forge pymeep"
)
VARIABLE = "CAVITYDESIGN_MEEP_PYTHON"

_KEPT_VARIABLES = (
    "PATH",
    "HOME",
    "LANG",
    "TMPDIR",
    "OMPI_ALLOW_RUN_AS_ROOT",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM",
)
_POLL_S = 0.05
_GRACE_S = 20.0


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that can import meep."""

    path: str
    meep_version: str

    @property
    def version(self) -> str:
        """Meep's version and where it lives, for people."""
        return f"{self.meep_version} ({self.path})"


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, after the workers were ended; ``str()`` says in one line what was kept and where."""


def find_interpreter(wanted: str | None = None) -> Interpreter:
    """The interpreter that has Meep: ``wanted``, else $CAVITYDESIGN_MEEP_PYTHON, else the first that can of
    /usr/bin/python3 and the active and usual conda environments. Raises Unavailable with the line that installs it.
    """
    named = wanted or os.environ.get(VARIABLE)
    reasons = []
    for path in [named] if named else _candidates():
        version, why = _probe(path)
        if version:
            return Interpreter(path, version)
        reasons.append(f"{path}: {why}")
    raise Unavailable(
        "meep", why="; ".join(reasons) or "no interpreter to try", install=f"{INSTALL}; or set {VARIABLE}"
    )


def _candidates() -> list[str]:
    home = Path.home()
    environments = [Path(os.environ["CONDA_PREFIX"])] if os.environ.get("CONDA_PREFIX") else []
    for base in ("miniconda3", "miniforge3", "mambaforge", "anaconda3", "micromamba"):
        environments += [home / base / "envs" / name for name in ("meep", "mp", "pmp")]
    paths = [Path("/usr/bin/python3"), *(environment / "bin" / "python" for environment in environments)]
    return [str(path) for path in paths if path.is_file()]


@lru_cache(maxsize=16)
def _probe(path: str) -> tuple[str, str]:
    """(version, "") or ("", why not)."""
    line = [path, "-I", "-c", "import meep, sys; sys.stderr.write('meep-version ' + meep.__version__)"]
    try:
        done = subprocess.run(
            line, capture_output=True, text=True, timeout=120, env=_environment(), check=False
        )
    except OSError as error:
        return "", f"cannot be started ({error.strerror})"
    except subprocess.TimeoutExpired:
        return "", "importing meep took longer than 2 minutes"
    if done.returncode == 0 and "meep-version " in done.stderr:
        return done.stderr.rsplit("meep-version ", 1)[1].strip(), ""
    lines = done.stderr.strip().splitlines() or ["no message"]
    return "", f"import meep failed: {lines[-1]}"


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return {"PATH": "/usr/bin:/bin", **kept, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def command(
    interpreter: str, folder: str | Path, *, ranks: int, wall_limit_s: float | None = None
) -> list[str]:
    """The command line that runs the job in ``folder``."""
    limit = [] if wall_limit_s is None else [f"{wall_limit_s:.1f}"]
    start = ["mpirun", "-n", str(ranks)] if ranks > 1 else []
    return [*start, interpreter, "-I", str(WORKER), str(folder), *limit]


def digest(content: dict[str, Any]) -> str:
    """Address of a job: its content and the worker that reads it."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    worker = b"".join(file.read_bytes() for file in WORKER_FILES)
    return hashlib.sha256(text.encode() + worker).hexdigest()[:24]


@dataclass(slots=True)
class _Run:
    index: int
    name: str
    folder: Path
    final: Path
    process: subprocess.Popen[bytes]
    log: Any


def run_jobs(
    contents: Sequence[tuple[str, dict[str, Any]]],
    *,
    interpreter: Interpreter,
    ranks: int = 1,
    at_once: int = 1,
    time_limit_s: float = 3600.0,
    folder: str | Path | None = None,
    progress: Progress = silent,
) -> list[dict[str, Any]]:
    """Run jobs, given as (name, content), and return their results in that order; each has its folder under "folder".

    Raises:
        SolverError: with the tail of the log, when a worker fails.
        Interrupted: on Ctrl-C.

    A run whose time is over ends itself and returns what it has, with its own status.
    """
    base = Path(folder) if folder is not None else Path(tempfile.mkdtemp(prefix="cavitydesign-fdtd-"))
    base.mkdir(parents=True, exist_ok=True)
    results: dict[int, dict[str, Any]] = {}
    waiting = list(range(len(contents)))
    running: list[_Run] = []
    deadline = time.monotonic() + time_limit_s
    last_word = time.monotonic()
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                index = waiting.pop(0)
                name, content = contents[index]
                final = base / digest(content)
                if (final / "result.json").is_file():
                    results[index] = _read(final)
                    continue
                left = max(1.0, deadline - time.monotonic())
                running.append(_start(index, name, content, final, interpreter.path, ranks, left))
            for run in list(running):
                if run.process.poll() is not None:
                    running.remove(run)
                    results[run.index] = _collect(run)
                elif time.monotonic() > deadline + _GRACE_S:
                    _end([run])
            if time.monotonic() - last_word > 1.0 and running:
                last_word = time.monotonic()
                _tell(progress, running, done=len(results), total=len(contents))
            if running:
                time.sleep(_POLL_S)
    except KeyboardInterrupt:
        _end(running)
        raise Interrupted(
            f"interrupted: {len(results)} of {len(contents)} FDTD runs are finished and kept in {base}; "
            f"the same with --runs {base} (in Python: folder={str(base)!r}) goes on from there"
        ) from None
    except BaseException:
        _end(running)
        raise
    if folder is None:
        shutil.rmtree(base, ignore_errors=True)
    return [results[index] for index in range(len(contents))]


def _start(
    index: int, name: str, content: dict[str, Any], final: Path, interpreter: str, ranks: int, left: float
) -> _Run:
    own = final.with_name(f"{final.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    own.mkdir()
    (own / "job.json").write_text(json.dumps(content))
    log = (own / "log.txt").open("wb")
    try:
        process = subprocess.Popen(
            command(interpreter, own, ranks=ranks, wall_limit_s=left),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=_environment(),
            cwd=own,
            start_new_session=True,
        )
    except OSError as error:
        log.close()
        program = "mpirun" if ranks > 1 else interpreter
        raise Unavailable(
            program, why=f"cannot be started ({error.strerror})", install="sudo apt-get install openmpi-bin"
        ) from None
    return _Run(index, name, own, final, process, log)


def _collect(run: _Run) -> dict[str, Any]:
    run.log.close()
    if run.process.returncode != 0 or not (run.folder / "result.json").is_file():
        raise SolverError(
            f"the FDTD worker of {run.name!r} ended with {_ending(run.process.returncode)}; "
            f"its log in {run.folder} ends: {_tail(run.folder)}",
            status=Status.PARTIAL,
        )
    result = _read(run.folder)
    if result["status"] in ("interrupted", "wall time over"):
        return result
    try:
        run.folder.rename(run.final)
    except OSError:  # a run side by side was first; its result is the same
        shutil.rmtree(run.folder, ignore_errors=True)
    return _read(run.final)


def _ending(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"


def _tail(folder: Path, lines: int = 6) -> str:
    text = (folder / "log.txt").read_text(errors="replace")
    kept = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("progress ")]
    return " | ".join(kept[-lines:]) or "(empty log)"


def _read(folder: Path) -> dict[str, Any]:
    """result.json, and series.npz and frames.npz as arrays where they exist."""
    import numpy as np

    result = json.loads((folder / "result.json").read_text())
    result["folder"] = str(folder)
    for name in ("series", "frames"):
        if (folder / f"{name}.npz").is_file():
            with np.load(folder / f"{name}.npz", allow_pickle=False) as arrays:
                result[f"{name}_npz"] = {key: arrays[key] for key in arrays.files}
    return result


def _end(runs: Sequence[_Run]) -> None:
    """Ask the workers to write what they have, then insist; process groups, so that mpirun's ranks end too."""
    for number, patience in ((signal.SIGINT, _GRACE_S), (signal.SIGTERM, 3.0), (signal.SIGKILL, 5.0)):
        alive = [run for run in runs if run.process.poll() is None]
        for run in alive:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(run.process.pid, number)
        until = time.monotonic() + patience
        for run in alive:
            with contextlib.suppress(subprocess.TimeoutExpired):
                run.process.wait(max(0.05, until - time.monotonic()))
    for run in runs:
        run.log.close()


def _tell(progress: Progress, running: Sequence[_Run], *, done: int, total: int) -> None:
    """How many runs are done, with the shares of those under way, and what these are."""
    parts, begun = [], 0.0
    for run in running:
        share = _share(run)
        begun += share
        parts.append(f"{run.name} {share:.0%}")
    progress(done + begun, total, f"fdtd: {done} of {total} runs done; " + "; ".join(parts))


def _share(run: _Run) -> float:
    """Part of the longest run length that is done, by the log's last progress line."""
    try:
        with (run.folder / "log.txt").open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 4096))
            text = file.read().decode(errors="replace")
        lines = [line for line in text.splitlines() if line.startswith("progress {")]
        state = json.loads(lines[-1][len("progress ") :])
        return float(state["t"] / state["t_max"])
    except (OSError, IndexError, ValueError, KeyError):
        return 0.0
