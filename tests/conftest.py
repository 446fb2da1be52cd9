"""What all tests share: one BLAS thread each, hypothesis profiles, and the marker `meep`."""

import functools
import os

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


@functools.cache
def find_meep() -> tuple[str | None, str]:
    """The interpreter that imports meep, as the FDTD client finds it, or None and the line that says why."""
    from cavitydesign.errors import Unavailable
    from cavitydesign.solvers.fdtd.client import find_interpreter

    try:
        return find_interpreter().path, ""
    except Unavailable as error:
        return None, str(error)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests marked `meep` skip without Meep, unless CAVITYDESIGN_REQUIRE_MEEP=1 (CI): then they fail."""
    if item.get_closest_marker("meep") is None:
        return
    path, why = find_meep()
    if path is not None:
        return
    if os.environ.get("CAVITYDESIGN_REQUIRE_MEEP") == "1":
        pytest.fail(why, pytrace=False)
    pytest.skip(why)


@pytest.fixture(scope="session")
def meep_python() -> str:
    """Path of the interpreter that imports meep; for tests marked `meep`."""
    path, why = find_meep()
    if path is None:
        pytest.fail(f"the fixture meep_python belongs to tests marked `meep`: {why}")
    return path
