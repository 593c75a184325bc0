"""The house: imports point one way, the code passes its own checks, migrations make the tables."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from customergraph.store import upgrades
from customergraph.store.database import Database

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
    async def problems() -> list[str]:
        database = Database(database_url)
        try:
            return await upgrades.problems(database)
        finally:
            await database.close()

    assert asyncio.run(problems()) == []
