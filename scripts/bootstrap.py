"""Set-up that `make run`, `make test` and `make bench` call first: a whole .venv, and Meep where apt can give it.

    python3 scripts/bootstrap.py LEVEL        LEVEL = run | dev | bench | meep

Standard library only, and any Python 3: it runs before anything is installed. What it leaves is `.venv` and nothing
else. `.venv/setup.json` says what the environment holds; it says "making" until the last step is through, so that an
environment which somebody interrupted is made again, never taken for whole. With nothing to do it takes 0.1 s.
"""

import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
STATE = os.path.join(VENV, "setup.json")
OLDEST_PYTHON = (3, 11)

EXTRAS = {"run": (), "dev": ("dev",), "bench": ("dev", "bench")}
MEEP_PACKAGES = ("python3-meep-mpi-default", "python3-matplotlib", "python3-mpi4py")
MEEP_INSTALL = "apt-get install " + " ".join(MEEP_PACKAGES)
MEEP_PYTHON_VARIABLE = "CAVITYDESIGN_MEEP_PYTHON"


def main(arguments):
    """Do the set-up of one level; the exit code."""
    if len(arguments) != 1 or arguments[0] not in (*EXTRAS, "meep"):
        sys.stderr.write(str(__doc__))
        return 2
    os.chdir(ROOT)
    with open("pyproject.toml", "rb") as project:
        fcntl.flock(project, fcntl.LOCK_EX)  # `make run` beside `make test`: one sets up, the other waits
        try:
            return _set_up(arguments[0])
        except KeyboardInterrupt:
            _say("interrupted; the next call starts where it is safe to")
            return 130
        except SetUpError as error:
            _say("set-up failed: " + str(error))
            return 1


class SetUpError(Exception):
    """Set-up cannot go on; the message says what to do."""


def _set_up(level):
    state = _read_state()
    if level == "meep":
        state.pop("meep", None)  # asked for by name: look again, install again
    wanted = sorted(set(EXTRAS.get(level, ())) | set(state.get("extras", ())))
    recipe = _recipe_hash()
    venv_is_whole = (
        state.get("status") == "whole"
        and state.get("recipe") == recipe
        and state.get("extras") == wanted
        and os.path.exists(PYTHON)
    )
    meep_is_settled = "meep" in state and (state["meep"] is None or os.access(state["meep"], os.X_OK))
    meep_is_settled = meep_is_settled and state.get("meep_variable") == os.environ.get(MEEP_PYTHON_VARIABLE)
    if not venv_is_whole or not meep_is_settled:
        started = time.monotonic()
        _make(state, wanted, recipe, venv_is_whole, meep_is_settled)
        _say("set-up took {:.0f} s".format(time.monotonic() - started))
    if _read_state().get("meep") is None:
        _say(
            "Meep is missing, so the FDTD solver is off; all else works. "
            "`{}` (as root) or conda's pymeep gives it; then `make meep`.".format(MEEP_INSTALL)
        )
    return 0


def _make(state, extras, recipe, venv_is_whole, meep_is_settled):
    """Meep through apt and the environment through pip, side by side."""
    meep = state.get("meep") if meep_is_settled else find_meep()
    base = None if venv_is_whole else _empty_venv(state)
    apt = None
    if meep is None and not meep_is_settled:
        apt = _start_apt()
    try:
        if not venv_is_whole:
            _fill_venv(base, extras)
        if apt is not None:
            meep = _finish_apt(apt)
    finally:
        if apt is not None:
            apt.wait()  # on an interrupt apt got the signal too; dpkg must end its step before we go
    _write_state(
        {
            "status": "whole",
            "recipe": recipe,
            "extras": extras,
            "meep": meep,
            "meep_variable": os.environ.get(MEEP_PYTHON_VARIABLE),
        }
    )


# --- the environment ------------------------------------------------------------------------------------------------


def _empty_venv(state):
    """Leave `.venv` marked as unfinished; return the interpreter to make it with, or None to fill the one there is."""
    if os.path.isdir(VENV) and not state and os.listdir(VENV):
        raise SetUpError(".venv was not made by this project; move it away and call make again")
    reusable = state.get("status") == "whole" and os.path.exists(PYTHON) and state.get("root") == ROOT
    if not reusable:
        shutil.rmtree(VENV, ignore_errors=True)
        os.makedirs(VENV)
    _write_state({**state, "status": "making"})
    return None if reusable else find_python()


def _fill_venv(base, extras):
    if base is not None:
        _say("making .venv with " + base)
        _run([base, "-m", "venv", VENV], "venv")
    what = "pinned dependencies" + (" and tools for " + ", ".join(extras) if extras else "")
    _say("installing " + what + " (.venv/setup-pip.log)")
    # Not compiled here: pip would spend half its time on modules that nobody imports; Python does it on first import.
    pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--no-compile"]
    pip += ["-c", "constraints.txt"]
    target = "." + ("[" + ",".join(extras) + "]" if extras else "")
    # The build backend first, from the same pins, so that pip need not fetch an unpinned one for the editable install.
    _run([*pip, "hatchling", "editables"], "pip")
    _run([*pip, "--no-build-isolation", "-e", target], "pip")


def find_python():
    """An interpreter that is new enough and can make environments; installs python3-venv if only that is missing."""
    names = [os.environ.get("PYTHON"), sys.executable, "python3", "/usr/bin/python3"]
    names += ["python3.{}".format(minor) for minor in (12, 13, 11, 14)]
    paths = _existing(names)
    new_enough = [
        path
        for path in paths
        if _asks(path, "import sys; sys.exit(sys.version_info < {})".format(OLDEST_PYTHON))
    ]
    if not new_enough:
        raise SetUpError(
            "Python 3.11 or newer is needed; none of {} is (set PYTHON=...)".format(", ".join(paths))
        )
    for path in new_enough:
        if _asks(path, "import ensurepip, venv"):
            return path
    if "/usr/bin/python3" in new_enough and _apt_prefix() is not None:
        _say("python3 cannot make environments; installing python3-venv")
        _finish(_start(_apt_script("python3-venv"), "apt"), "apt")
        if _asks("/usr/bin/python3", "import ensurepip, venv"):
            return "/usr/bin/python3"
    raise SetUpError(
        "{} cannot make environments: as root, `apt-get install python3-venv`".format(new_enough[0])
    )


def _recipe_hash():
    """What the environment depends on: its place (scripts in it name it), the pins, and the head of pyproject.toml."""
    digest = hashlib.sha256(ROOT.encode())
    with open("pyproject.toml", "rb") as file:
        digest.update(file.read().partition(b"\n[tool.pytest")[0])  # below stand only settings of tools
    with open("constraints.txt", "rb") as file:
        digest.update(file.read())
    return digest.hexdigest()


# --- Meep -----------------------------------------------------------------------------------------------------------


def find_meep():
    """The interpreter that the FDTD client will find: the one the variable names, else the first that imports meep.

    In a process of its own: importing meep prints, and with MPI it may abort the process. The attribute is asked for
    because a folder that an uninstalled package left behind imports as well, as a namespace.
    """
    # The same places in the same order as cavitydesign/solvers/fdtd/client.py, which cannot be imported before set-up.
    named = os.environ.get(MEEP_PYTHON_VARIABLE)
    places = ["/usr/bin/python3"]
    if os.environ.get("CONDA_PREFIX"):
        places.append(os.path.join(os.environ["CONDA_PREFIX"], "bin", "python"))
    for base in ("miniconda3", "miniforge3", "mambaforge", "anaconda3", "micromamba"):
        for name in ("meep", "mp", "pmp"):
            places.append(os.path.join(os.path.expanduser("~"), base, "envs", name, "bin", "python"))
    for path in _existing([named] if named else places):
        if _asks(path, "import meep; meep.Simulation"):
            return path
    return None


def _start_apt():
    if os.environ.get(MEEP_PYTHON_VARIABLE):
        _say("{} names an interpreter that cannot import meep".format(MEEP_PYTHON_VARIABLE))
        return None
    if _apt_prefix() is None:
        return None  # the closing line says what is missing
    _say("installing Meep through apt (.venv/setup-apt.log)")
    return _start(_apt_script(*MEEP_PACKAGES), "apt")


def _finish_apt(apt):
    """Wait for apt; a failure of it costs FDTD and nothing else."""
    try:
        _finish(apt, "apt")
    except SetUpError as error:
        _say(str(error))
    return find_meep()


def _apt_prefix():
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if (
        sudo
        and subprocess.call([sudo, "-n", "true"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
    ):
        return [sudo, "-n"]
    return None


def _apt_script(*packages):
    apt = "apt-get -qq -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-unsafe-io "
    install = apt + "install -y --no-install-recommends " + " ".join(packages)
    # Installed at once where the list of packages is new enough; else the list is renewed first.
    script = install + " || { " + apt + "update; exec " + install + "; }"
    return [*(_apt_prefix() or []), "env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C", "sh", "-c", script]


# --- small tools ----------------------------------------------------------------------------------------------------


def _say(text):
    sys.stderr.write("[set-up] " + text + "\n")
    sys.stderr.flush()


def _existing(names):
    """Absolute paths of those of the programs that are there, each once, in order; never the .venv itself."""
    paths = []
    for name in names:
        path = shutil.which(name) if name else None
        if path and path not in paths and not os.path.abspath(path).startswith(VENV + os.sep):
            paths.append(path)
    return paths


def _asks(interpreter, code):
    """Whether the code runs through in that interpreter; what it prints is dropped."""
    command = [interpreter, "-I", "-c", code]
    try:
        ended = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ended.returncode == 0


def _log_path(name):
    return os.path.join(VENV, "setup-" + name + ".log")


def _start(command, log):
    with open(_log_path(log), "ab") as out:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)


def _run(command, log):
    _finish(_start(command, log), log)


def _finish(process, log):
    """Wait, with a sign of life every 20 seconds; a failure shows the end of its log."""
    started = time.monotonic()
    try:
        while True:
            try:
                code = process.wait(timeout=20)
                break
            except subprocess.TimeoutExpired:
                _say("... {} still at work after {:.0f} s".format(log, time.monotonic() - started))
    except KeyboardInterrupt:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait()
        raise
    if code != 0:
        with open(_log_path(log), encoding="utf-8", errors="replace") as file:
            for line in file.read().splitlines()[-12:]:
                sys.stderr.write("    " + line + "\n")
        raise SetUpError("{} ended with code {}; the whole log is {}".format(log, code, _log_path(log)))


def _read_state():
    try:
        with open(STATE, encoding="utf-8") as file:
            state = json.load(file)
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def _write_state(state):
    with open(STATE + ".part", "w", encoding="utf-8") as file:
        json.dump({**state, "root": ROOT}, file, indent=1)
    os.replace(STATE + ".part", STATE)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
