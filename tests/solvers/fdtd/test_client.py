"""Care of the process: found or unavailable, crashed, hung, interrupted, side by side, resumed. No Meep needed."""

import json
import os
import signal
import stat
import subprocess
import sys
import time

import pytest

from cavitydesign.cli.solving import options_of
from cavitydesign.errors import SolverError, Unavailable
from cavitydesign.solvers.fdtd import Fdtd, client
from cavitydesign.solvers.fdtd.client import Interpreter, digest, find_interpreter, run_jobs

JOB = {"format": 1, "run": {"duration": 1.0}}


def script(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return Interpreter(str(path), "0")


def writes_result(path, status="converged"):
    """A stand-in for the interpreter: writes a result.json, as the worker would ($3 is the folder of `-I
    worker.py FOLDER`).
    """
    result = json.dumps({"status": status, "steps": 1})
    return script(path, f"echo '{result}' > \"$3/result.json\"; echo x >> {path}.count")


def test_a_missing_interpreter_is_unavailable_with_the_install_line(tmp_path):
    with pytest.raises(Unavailable) as caught:
        find_interpreter(str(tmp_path / "no-python"))
    assert caught.value.exit_code == 4
    assert "python3-meep" in str(caught.value)
    assert "conda" in str(caught.value)


def test_an_interpreter_whose_meep_cannot_import_says_why(tmp_path):
    broken = script(
        tmp_path / "python", "echo 'ImportError: numpy.core.multiarray failed to import' >&2; exit 1"
    )
    with pytest.raises(Unavailable, match=r"import meep failed: ImportError: numpy\.core"):
        find_interpreter(broken.path)


def test_the_variable_names_the_interpreter(tmp_path, monkeypatch):
    fake = script(tmp_path / "python", "echo 'meep-version 9.9' >&2")
    monkeypatch.setenv(client.VARIABLE, fake.path)
    assert find_interpreter() == Interpreter(fake.path, "9.9")


def test_a_worker_that_cannot_import_meep_becomes_an_error_with_the_log(tmp_path):
    plain = script(
        tmp_path / "python", "echo setting up; echo 'ModuleNotFoundError: No module named meep' >&2; exit 1"
    )
    with pytest.raises(SolverError, match=r"exit code 1.*setting up \| ModuleNotFoundError") as caught:
        run_jobs([("one", JOB)], interpreter=plain, folder=tmp_path / "runs")
    assert caught.value.exit_code == 3


def test_a_killed_worker_becomes_an_error_that_names_the_signal(tmp_path):
    killed = script(tmp_path / "python", "echo step 17; kill -9 $$")
    with pytest.raises(SolverError, match=r"signal SIGKILL.*step 17"):
        run_jobs([("one", JOB)], interpreter=killed, folder=tmp_path / "runs")


def test_a_worker_beyond_its_time_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(client, "_GRACE_S", 0.3)
    hung = script(tmp_path / "python", "exec sleep 60")
    began = time.monotonic()
    with pytest.raises(SolverError, match=r"signal SIG(INT|TERM)"):
        run_jobs([("one", JOB)], interpreter=hung, folder=tmp_path / "runs", time_limit_s=0.3)
    assert time.monotonic() - began < 15.0  # far below the 60 s that it would sleep


def test_a_finished_run_is_not_repeated_and_another_job_is_another_folder(tmp_path):
    worker = writes_result(tmp_path / "python")
    runs = tmp_path / "runs"
    first = run_jobs([("one", JOB)], interpreter=worker, folder=runs)
    again = run_jobs([("one", JOB)], interpreter=worker, folder=runs)
    assert first == again
    run_jobs([("two", {**JOB, "resolution": 2})], interpreter=worker, folder=runs)
    assert (tmp_path / "python.count").read_text().count("x") == 2
    assert sorted(path.name for path in runs.iterdir()) == sorted(
        [digest(JOB), digest({**JOB, "resolution": 2})]
    )


def test_an_unfinished_run_is_returned_but_not_taken_for_finished(tmp_path):
    worker = writes_result(tmp_path / "python", status="wall time over")
    (result,) = run_jobs([("one", JOB)], interpreter=worker, folder=tmp_path / "runs")
    assert result["status"] == "wall time over"
    assert not (tmp_path / "runs" / digest(JOB)).exists()


def test_two_runs_of_one_job_side_by_side_do_not_collide(tmp_path):
    slow = script(tmp_path / "python", 'sleep 0.4; echo \'{"status": "converged"}\' > "$3/result.json"')
    both = run_jobs([("one", JOB), ("two", JOB)], interpreter=slow, folder=tmp_path / "runs", at_once=2)
    assert [result["status"] for result in both] == ["converged", "converged"]
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [digest(JOB)]


def test_results_come_in_the_order_of_the_jobs(tmp_path):
    # the first job takes longest, so that it ends last
    text = 'case "$(cat "$3/job.json")" in *first*) sleep 0.5;; esac; cp "$3/job.json" "$3/result.json"'
    worker = script(tmp_path / "python", text)
    jobs = [(name, {"status": name}) for name in ("first", "second", "third")]
    results = run_jobs(jobs, interpreter=worker, folder=tmp_path / "runs", at_once=3)
    assert [result["status"] for result in results] == ["first", "second", "third"]


def test_ctrl_c_ends_the_worker_and_keeps_what_is_done(tmp_path):
    text = (
        'case "$(cat "$3/job.json")" in *quick*) echo \'{"status": "converged"}\' > "$3/result.json";; *) echo $$ > '
        + str(tmp_path)
    )
    worker = script(tmp_path / "python", text + "/pid; exec sleep 60;; esac")
    code = (
        "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from cavitydesign.solvers.fdtd.client import *\n"
        f"jobs = [('quick', {{'quick': 1}}), ('long', {{'long': 1}})]\n"
        f"try: run_jobs(jobs, interpreter=Interpreter({worker.path!r}, '0'), folder={str(tmp_path / 'runs')!r})\n"
        "except KeyboardInterrupt as stop: print(stop)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    until, told = time.monotonic() + 60.0, tmp_path / "pid"
    while not (told.exists() and told.read_text()) and time.monotonic() < until:
        time.sleep(0.02)
    pid = int(told.read_text())
    process.send_signal(signal.SIGINT)
    words, _ = process.communicate(timeout=30)
    assert "1 of 2 FDTD runs are finished and kept in" in words
    assert f"with --runs {tmp_path / 'runs'} (in Python: folder=" in words
    assert "--runs" in options_of(Fdtd)
    assert (tmp_path / "runs" / digest({"quick": 1}) / "result.json").is_file()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_progress_tells_the_share(tmp_path):
    text = 'echo \'progress {"t": 25.0, "t_max": 100.0}\'; sleep 1.5; '
    text += 'echo \'{"status": "converged"}\' > "$3/result.json"'
    told = []
    run_jobs(
        [("slow one", JOB)],
        interpreter=script(tmp_path / "python", text),
        folder=tmp_path / "runs",
        progress=lambda *said: told.append(said),
    )
    done, total, what = told[0]
    assert (done, total) == (0.25, 1)
    assert "slow one 25%" in what
    assert "left" not in what, "that is said once, by whom it is told"


def test_the_worker_sees_a_cleaned_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setenv("LD_PRELOAD", "")
    worker = script(
        tmp_path / "python", 'env > "$3/env.txt"; echo \'{"status": "converged"}\' > "$3/result.json"'
    )
    (result,) = run_jobs([("one", JOB)], interpreter=worker, folder=tmp_path / "runs")
    text = (tmp_path / "runs" / os.path.basename(result["folder"]) / "env.txt").read_text()
    assert "PYTHONPATH" not in text
    assert "OMP_NUM_THREADS=1" in text


def test_ranks_go_through_mpirun():
    command = client.command("/usr/bin/python3", "folder", ranks=4)
    assert command[:3] == ["mpirun", "-n", "4"]
    assert "-I" in command
