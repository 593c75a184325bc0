"""The house: imports point one way, the code passes its own checks, migrations make the tables."""

import subprocess
import sys
from pathlib import Path

import pytest

import stores

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "src", "tests"],
        ["ruff", "format", "--check", "src", "tests"],
        ["mypy"],
        ["lint-imports"],
    ],
    ids=" ".join,
)
def test_the_code_passes(command: list[str]) -> None:
    tool = Path(sys.executable).parent / command[0]

    ran = subprocess.run([tool, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_no_table_loads_another_behind_anyones_back() -> None:
    assert not [path for path in (ROOT / "src").rglob("*.py") if "relationship(" in path.read_text("utf-8")]


def test_migrations_make_the_tables_that_the_store_declares(database_url: str) -> None:
    assert stores.problems(database_url) == stores.known_problems(database_url)
