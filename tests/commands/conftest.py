"""What the tests of the commands run: processes, and imports without one."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands.command import Command, Imports


@pytest.fixture
def new_store(tmp_path: Path) -> Iterator[Command]:
    """The command in an empty folder: its store is still to be made."""
    command = Command(tmp_path)
    yield command
    command.stop()


@pytest.fixture
def command(new_store: Command, empty_store: Path) -> Command:
    """The command on a store without rows."""
    shutil.copy(empty_store, new_store.store)
    return new_store


@pytest.fixture
def imports(database_url: str, tmp_path: Path) -> Imports:
    """Imports into a project whose days are UTC's."""
    return Imports(database_url, tmp_path)
