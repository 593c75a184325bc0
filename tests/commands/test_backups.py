"""Backups of the embedded store: whole, made while it serves, and never over another file."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from commands.command import Command, answer, store_rows, token_in
from commands.test_serving import COUNT, printed, stopped
from commands.test_written_files import OTHERS, files
from conftest import free_port

pytestmark = pytest.mark.slow

CREATE = 'mutation { createCustomer(input: { firstName: "Ada" }) { userErrors { code } } }'
NAMES = "SELECT first_name FROM customer"


def url_of(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


def add_project(command: Command, slug: str, store: Path | None = None) -> None:
    words = ("--database-url", url_of(store)) if store else ()
    command.inside.succeed("project", "create", slug, "--name", slug, *words)


def test_a_backup_made_while_the_store_serves_is_whole_and_can_be_restored(embedded: Command) -> None:
    add_project(embedded, "acme")
    words = ("token", "create", "--project", "acme", "--name", "t", "--scope", "read", "--scope", "write")
    token, port = embedded.inside.succeed(*words).strip(), free_port()
    process = embedded.start("serve", "--port", port)
    answer(port, token, CREATE)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(lambda: [answer(port, token, CREATE) for _ in range(50)])
        made = embedded.run("db", "backup", "backup.db")
        assert len(writing.result()) == 50
    again = embedded.inside.run("db", "backup", "backup.db")
    stopped(process)

    backup = embedded.folder / "backup.db"
    assert (made.returncode, made.stdout) == (0, "")
    assert again.stderr == f"The store was backed up to backup.db ({backup.stat().st_size:,} bytes).\n"
    assert not [name for name in files(embedded.folder) if name.startswith((".", "backup.db-"))]
    restored = Path(shutil.copy(backup, embedded.folder / "restored.db"))
    assert embedded.inside.run("db", "check", "--database-url", url_of(restored)).returncode == 0
    assert store_rows(url_of(restored), NAMES) == ["Ada"] * 51
    port = free_port()
    embedded.start("serve", "--port", port, "--database-url", url_of(restored))
    assert answer(port, token, COUNT)["customers"]["totalCount"] == 51


def test_a_backup_of_a_demo_is_a_demo(new_embedded: Command) -> None:
    first = new_embedded.start("demo", "--customers", 20, "--port", free_port())
    printed(first)
    demo = ("--database-url", url_of(new_embedded.folder / "demo.db"))
    new_embedded.inside.succeed("db", "backup", "backup.db", *demo)
    stopped(first)

    port = free_port()
    second = new_embedded.start("demo", "--port", port, "--path", "backup.db")

    assert answer(port, token_in(printed(second)), COUNT)["customers"]["totalCount"] > 0
    refusal = new_embedded.inside.refusal("db", "backup", "backup.db", *demo)
    assert refusal.startswith("the backup cannot be written to backup.db: ")


@pytest.mark.parametrize("other", OTHERS)
def test_a_backup_is_refused_where_something_else_is(embedded: Command, other: str) -> None:
    path = OTHERS[other](embedded)
    before = files(embedded.folder)

    refusal = embedded.inside.refusal("db", "backup", path)

    assert refusal.startswith(f"the backup cannot be written to {path}: ")
    assert files(embedded.folder) == before


def test_a_backup_does_not_replace_another_store_not_even_a_restored_one(embedded: Command) -> None:
    other, restored = embedded.folder / "other.db", embedded.folder / "restored.db"
    add_project(embedded, "other", other)
    embedded.inside.succeed("db", "backup", restored)
    # Reading a backup leaves it one; taking it into use does not.
    listed = embedded.inside.succeed("project", "list", "--database-url", url_of(restored))
    embedded.inside.succeed("db", "backup", restored)
    add_project(embedded, "acme", restored)
    before = files(embedded.folder)

    for path in (other, restored):
        refusal = embedded.inside.refusal("db", "backup", path)
        assert refusal.endswith("another file is there: choose another name")

    assert listed.splitlines() == ["slug\tname\ttimezone\tuuid\tdeleted_at"]
    assert files(embedded.folder) == before


def test_a_backup_does_not_replace_the_backup_of_another_store(embedded: Command) -> None:
    other = embedded.folder / "other.db"
    add_project(embedded, "acme")
    add_project(embedded, "acme", other)
    embedded.inside.succeed("db", "backup", "backup.db", "--database-url", url_of(other))
    before = files(embedded.folder)

    refusal = embedded.inside.refusal("db", "backup", "backup.db")

    assert refusal.endswith("another file is there: choose another name")
    assert files(embedded.folder) == before


def test_a_restored_backup_is_not_replaced_by_a_backup_of_itself(embedded: Command) -> None:
    embedded.inside.succeed("db", "backup", "backup.db")
    (embedded.folder / "backup.db").replace(embedded.folder / "store.db")

    refusal = embedded.inside.refusal("db", "backup", "store.db")

    assert refusal == "the backup cannot be written to store.db: it is the store itself"


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ("DROP TABLE charge", "the store lacks the table charge"),
        ("DELETE FROM alembic_version", "the store has no version"),
        ("PRAGMA writable_schema = ON", "the store is damaged: "),
    ],
)
def test_a_damaged_store_does_not_replace_an_earlier_backup(embedded: Command, damage: str, reason: str) -> None:
    add_project(embedded, "acme")
    embedded.inside.succeed("db", "backup", "backup.db")
    backup = (embedded.folder / "backup.db").read_bytes()
    if damage.startswith("PRAGMA"):
        break_an_index(embedded.folder / "store.db")
    else:
        embedded.change(damage)

    refusal = embedded.inside.refusal("db", "backup", "backup.db")

    assert refusal.startswith(f"no backup was made: {reason}")
    assert (embedded.folder / "backup.db").read_bytes() == backup
    assert sorted(files(embedded.folder)) == ["backup.db", "store.db"]


def break_an_index(store: Path) -> None:
    """Change the slug of the project `acme` where the table keeps it, and not in its index."""
    content = store.read_bytes()
    place = content.index(b"acmeacmeUTC")
    store.write_bytes(content[:place] + b"b" + content[place + 1 :])


def test_a_store_that_is_behind_can_be_backed_up_before_it_is_upgraded(embedded: Command) -> None:
    embedded.change("UPDATE alembic_version SET version_num = '0001'")

    embedded.inside.succeed("db", "backup", "backup.db")

    backup = url_of(embedded.folder / "backup.db")
    assert store_rows(backup, "SELECT version_num FROM alembic_version") == ["0001"]


def test_on_postgresql_a_backup_names_the_program_that_makes_one(embedded: Command) -> None:
    url = "postgresql+asyncpg://ann:zzsecret@db.example:5433/acme?ssl=require"

    refusal = embedded.inside.refusal("db", "backup", "my backup", "--database-url", url)

    assert refusal == (
        "a store on PostgreSQL is backed up by PostgreSQL's own program: pg_dump --format=custom"
        " --file='my backup' postgresql://ann@db.example:5433/acme"
    )
    assert sorted(files(embedded.folder)) == ["store.db"]
