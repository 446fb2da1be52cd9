"""What all tests share: one BLAS thread each, hypothesis profiles, and the marker `meep`."""

import functools
import os
import shutil
import subprocess

# Before anything imports numpy: the suite runs on one process per core, and sums must not depend on the thread count.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import hypothesis
import pytest

# The same examples every time, so that a red run can be repeated; times on a shared machine say nothing.
hypothesis.settings.register_profile(
    "suite", derandomize=True, deadline=None, max_examples=50, print_blob=True
)
hypothesis.settings.register_profile("explore", deadline=None, max_examples=1000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))

MEEP_INSTALL = "apt-get install python3-meep-mpi-default python3-matplotlib python3-mpi4py, or conda's pymeep"


@functools.cache
def find_meep_python() -> str | None:
    """The interpreter that imports meep, or None; asked in a process of its own, because Meep prints and may abort."""
    for name in (os.environ.get("CAVITYDESIGN_MEEP_PYTHON"), "/usr/bin/python3", "python3"):
        path = shutil.which(name) if name else None
        if path is None:
            continue
        command = [path, "-I", "-c", "import meep"]
        ended = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False
        )
        if ended.returncode == 0:
            return path
    return None


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests marked `meep` skip without Meep, unless CAVITYDESIGN_REQUIRE_MEEP=1 (CI): then they fail."""
    if item.get_closest_marker("meep") is None or find_meep_python() is not None:
        return
    if os.environ.get("CAVITYDESIGN_REQUIRE_MEEP") == "1":
        pytest.fail(f"no interpreter imports meep: {MEEP_INSTALL}", pytrace=False)
    pytest.skip(f"no interpreter imports meep: {MEEP_INSTALL}")


@pytest.fixture(scope="session")
def meep_python() -> str:
    """Path of the interpreter that imports meep; for tests marked `meep`."""
    path = find_meep_python()
    if path is None:
        pytest.fail("the fixture meep_python belongs to tests marked `meep`")
    return path
