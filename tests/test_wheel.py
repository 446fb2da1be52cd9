"""The wheel that users install: built here, put into a throw-away environment, and run from there."""

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def run(*command: object, cwd: Path) -> str:
    ended = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    (built,) = folder.glob("*.whl")
    return built


def test_holds_the_whole_package_and_nothing_else(wheel: Path) -> None:
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    files = {path.relative_to(ROOT) for path in (ROOT / "cavitydesign").rglob("*") if path.is_file()}
    assert inside == {path.as_posix() for path in files if "__pycache__" not in path.parts}


def test_runs_where_the_checkout_is_not(wheel: Path, tmp_path: Path) -> None:
    place = tmp_path / "venv"
    venv.create(place, with_pip=False, symlinks=True)
    python = place / "bin" / "python"
    # The dependencies of this environment, but not its editable install of the checkout: a .pth inside a folder that
    # a .pth names is not read.
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path).strip()
    Path(site, "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python]
    run(
        *pip,
        "install",
        "-q",
        "--no-deps",
        "--no-index",
        "--no-compile",
        "--ignore-installed",
        wheel,
        cwd=tmp_path,
    )

    where = run(python, "-I", "-c", "import cavitydesign; print(cavitydesign.__file__)", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(place)
    command = place / "bin" / "cavitydesign"
    assert "modes" in run(command, "--help", cwd=tmp_path)
    answer = run(command, "modes", ROOT / "layouts" / "pcsel.toml", "--json", cwd=tmp_path)
    assert '"modes"' in answer
