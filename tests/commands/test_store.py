"""The store on the command line: made, upgraded, checked, and refused when it is behind."""

from pathlib import Path

import pytest

import stores
from commands.command import PATIENCE_SECONDS, Command, Imports
from commands.conftest import MakeCommand
from conftest import free_port
from stores import PostgreSQLServer

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def test_upgrading_makes_a_store_and_changes_one_that_is_new_no_more(new_store: Command) -> None:
    assert "run `customergraph db upgrade`" in new_store.inside.refusal("db", "check")

    first, second = new_store.run("db", "upgrade"), new_store.inside.run("db", "upgrade")

    assert (first.returncode, first.stderr) == (0, "The store was upgraded.\n")
    assert (second.returncode, second.stderr) == (0, "The store is up to date.\n")
    assert stores.problems(new_store.store_url) == stores.known_problems(new_store.store_url)


def test_an_upgrade_through_pgbouncer_is_refused(on_store: MakeCommand, new_postgresql_url: str) -> None:
    command = on_store(new_postgresql_url)

    refusal = command.inside.refusal("db", "upgrade", env={"CUSTOMERGRAPH_PGBOUNCER": "true"})

    assert refusal == (
        "an upgrade cannot go through PgBouncer: run it with the URL of PostgreSQL itself,"
        " and CUSTOMERGRAPH_PGBOUNCER=false"
    )


READERS = (
    ("project", "list"),
    ("token", "list", "--project", "acme"),
    ("token", "create", "--project", "acme", "--name", "t"),
    ("token", "revoke", "cg_123456789"),
    ("import", "tags", "tags.csv", "--project", "acme"),
    ("db", "check"),
    ("db", "backup", "backup.db"),
)


@pytest.mark.parametrize("path", ["{folder}/store.db", "store.db", "missing/store.db", "empty.db"])
@pytest.mark.parametrize("words", READERS, ids=" ".join)
def test_commands_that_read_make_no_store(new_embedded: Command, words: tuple[str, ...], path: str) -> None:
    new_embedded.file("tags.csv", "slug,name\nvip,\n")
    empty = new_embedded.file("empty.db", "")
    path = path.format(folder=new_embedded.folder)

    refusal = new_embedded.inside.refusal(*words, "--database-url", f"sqlite+aiosqlite:///{path}")

    assert refusal == f"there is no store at {path}: run `customergraph db upgrade` to make it, or name another"
    assert sorted(path.name for path in new_embedded.folder.iterdir()) == ["empty.db", "tags.csv"]
    assert empty.read_bytes() == b""


@pytest.mark.parametrize("words", [("db", "upgrade"), ("project", "create", "acme", "--name", "Acme")], ids=" ".join)
def test_an_empty_file_becomes_a_store_where_one_may_be_made(new_embedded: Command, words: tuple[str, ...]) -> None:
    new_embedded.file("store.db", "")

    assert new_embedded.inside.run(*words).returncode == 0

    assert stores.problems(new_embedded.store_url) == []


@pytest.mark.parametrize(
    "words", [*READERS, ("db", "upgrade"), ("serve", "--port", "0"), ("project", "create", "acme", "--name", "A")]
)
def test_a_database_of_another_program_is_refused_and_left_as_it_is(
    new_embedded: Command, words: tuple[str, ...]
) -> None:
    new_embedded.file("tags.csv", "slug,name\nvip,\n")
    new_embedded.change("CREATE TABLE customer (name)")
    path = new_embedded.folder / "store.db"
    before = path.read_bytes()

    assert new_embedded.inside.refusal(*words) == f"{path} is a SQLite database of another program"

    assert path.read_bytes() == before
    assert sorted(file.name for file in new_embedded.folder.iterdir()) == ["store.db", "tags.csv"]


def test_a_sound_store_is_told_as_sound(embedded: Command) -> None:
    checked = embedded.inside.run("db", "check")

    assert (checked.returncode, checked.stderr) == (0, "The store is up to date and consistent.\n")


def test_upgrades_at_the_same_time_wait_for_each_other(on_store: MakeCommand, new_postgresql_url: str) -> None:
    command = on_store(new_postgresql_url)
    upgrades = [command.start("db", "upgrade") for _ in range(4)]

    assert [upgrade.wait(PATIENCE_SECONDS) for upgrade in upgrades] == [0] * 4

    lines = sorted(command.stderr().splitlines())
    assert lines == ["The store is up to date."] * 3 + ["The store was upgraded."]
    assert stores.problems(new_postgresql_url) == stores.known_problems(new_postgresql_url)


@pytest.mark.parametrize("words", [("serve", "--port", "0"), ("project", "list"), ("db", "check")], ids=" ".join)
def test_a_database_without_tables_is_refused_and_left_as_it_is(
    on_store: MakeCommand, new_postgresql_url: str, words: tuple[str, ...]
) -> None:
    refusal = on_store(new_postgresql_url).inside.refusal(*words)

    assert refusal.startswith("the store's schema is behind (version none, needed ")
    assert stores.rows(new_postgresql_url, "SELECT relname FROM pg_stat_user_tables") == []


def test_a_check_finds_times_that_the_history_does_not_bear_out(command: Command) -> None:
    imports = Imports(command.store_url, command.folder).create_project()
    imports.csv("customers", "first_name,email", "Ann,ann@example.com", "Bob,bob@example.com")
    imports.csv("reviews", "email,score,created_at", "ann@example.com,5,2026-01-01")
    assert stores.problems(command.store_url) == stores.known_problems(command.store_url)
    command.change("UPDATE customer SET reviewed_at = NULL WHERE first_name = 'Ann'")
    command.change("UPDATE customer SET asked_at = '2026-01-01T00:00:00.000000Z' WHERE first_name = 'Bob'")

    checked = command.inside.run("db", "check")

    untrue = (
        "project acme: 2 customers have an asked, messaged or reviewed time that does not follow from their history"
    )
    lines = [*stores.known_problems(command.store_url), untrue]
    assert (checked.returncode, checked.stdout) == (1, "")
    assert checked.stderr == "".join(f"customergraph: {line}\n" for line in lines)


def test_a_check_finds_an_index_that_was_never_finished(postgresql_url: str) -> None:
    stores.execute(
        postgresql_url, "UPDATE pg_index SET indisvalid = FALSE WHERE indexrelid = 'ix_message_unsent'::regclass"
    )

    assert stores.problems(postgresql_url) == [
        "the index ix_message_unsent is invalid: REINDEX it",
        *stores.known_problems(postgresql_url),
    ]


def test_a_store_that_is_behind_is_not_served(command: Command) -> None:
    command.change("DELETE FROM alembic_version")

    assert "run `customergraph db upgrade`" in command.inside.refusal("serve", "--port", "0")
    for words in (("project", "list"), ("db", "check")):
        assert "run `customergraph db upgrade`" in command.inside.refusal(*words)


def test_a_store_with_keys_of_another_version_is_not_served(command: Command) -> None:
    command.change("UPDATE store_fact SET value = '1' WHERE name = 'keys_version'")

    for words in (("serve", "--port", "0"), ("project", "list"), ("db", "check")):
        refusal = command.inside.refusal(*words)
        assert refusal.startswith("the store's search keys are of another version (1, needed 2, Unicode ")
        assert refusal.endswith("): run `customergraph db upgrade`")
    assert command.inside.run("db", "upgrade").stderr == "The store was upgraded.\n"
    assert command.inside.run("db", "upgrade").stderr == "The store is up to date.\n"
    assert command.inside.succeed("project", "list") == "slug\tname\ttimezone\tuuid\tdeleted_at\n"


def test_a_store_of_a_newer_version_is_neither_served_nor_upgraded(command: Command) -> None:
    command.change("UPDATE alembic_version SET version_num = '9999'")

    assert "made by a newer customergraph" in command.inside.refusal("serve", "--port", "0")
    assert "made by a newer customergraph" in command.inside.refusal("db", "upgrade")


def test_a_setting_that_does_not_parse_is_named(new_embedded: Command) -> None:
    for name, value in (("PORT", "eighty"), ("WORKERS", "0"), ("GRAPHIQL", "perhaps"), ("POOL_SIZE", "1")):
        variable = f"CUSTOMERGRAPH_{name}"
        refusal = new_embedded.inside.refusal("serve", env={variable: value})
        assert refusal.startswith(f"setting {variable}: ")
        assert repr(value) in refusal
    new_embedded.file(".env", "CUSTOMERGRAPH_WORKERS=many\n")
    assert new_embedded.refusal("serve").startswith("setting CUSTOMERGRAPH_WORKERS: ")
    new_embedded.file(".env", b"CUSTOMERGRAPH_HOST=\xff\n")
    assert new_embedded.inside.refusal("serve").startswith(".env: ")


def test_a_bucket_that_the_largest_operation_does_not_fit_into_stops_the_start(new_embedded: Command) -> None:
    env = {"CUSTOMERGRAPH_BUCKET_SIZE": "27", "CUSTOMERGRAPH_COST_LIMIT": "28"}

    refusal = new_embedded.inside.refusal("serve", env=env)

    assert refusal == (
        "setting CUSTOMERGRAPH_BUCKET_SIZE: 27 is less than CUSTOMERGRAPH_COST_LIMIT, 28:"
        " no token could ever pay for the largest operation that is allowed"
    )


@pytest.mark.parametrize(
    "url",
    [
        "mysql://me:zzsecret@here/store",
        "postgresql://me:zzsecret@here/store",
        "postgresql+asyncpg://me:zzsecret@here",
        "postgresql+asyncpg://me:zzsecret@here/",
        "postgresql+asyncpg://me:zzsecret@here:port/store",
        "postgresql+asyncpg://me:zzsecret@[here/store",
        "sqlite+aiosqlite:///",
        "sqlite+aiosqlite:///:memory:",
        "sqlite+aiosqlite://",
        "postgresql+asyncpg://zzsecret@one:5432,two:zzsecret/store",
        "zzsecret",
        "",
    ],
)
def test_the_address_of_a_store_that_does_not_parse_is_named_and_never_repeated(
    new_embedded: Command, url: str
) -> None:
    refusal = new_embedded.inside.refusal("serve", env={"CUSTOMERGRAPH_DATABASE_URL": url})

    assert refusal == (
        "setting CUSTOMERGRAPH_DATABASE_URL: must be sqlite+aiosqlite:/// and the path of a file,"
        " or postgresql+asyncpg://user:password@host:port/database, which may end in ?ssl= and one of"
        " disable, allow, prefer, require, verify-ca, verify-full"
    )


@pytest.mark.parametrize(
    "url",
    [
        "localhost:6379",
        "http://me:zzsecret@here:6379/0",
        "redis://me:zzsecret@here:port/0",
        "redis://me:zzsecret@here:0/0",
        "redis://me:zzsecret@here:65536/0",
        "redis://me:zzsecret@here:6379/first",
        "redis://me:zzsecret@here:6379/-1",
        "redis://me:zzsecret@here:6379/0/1",
        "redis://me:zzsecret@here:6379?db=first",
        "redis://me:zzsecret@here:6379?zzsecret=1",
        "redis://me:zzsecret@[here:6379/0",
        "redis://:zzsecret@:6379/0",
        "redis://",
        "rediss:///0",
        "unix://",
        "unix://zzsecret",
        " ",
    ],
)
def test_the_address_of_a_redis_that_does_not_parse_is_named_and_never_repeated(
    new_embedded: Command, url: str
) -> None:
    refusal = new_embedded.inside.refusal("serve", env={"CUSTOMERGRAPH_REDIS_URL": url})

    assert refusal == (
        "setting CUSTOMERGRAPH_REDIS_URL: must be redis://user:password@host:port/number,"
        " rediss:// and the same for TLS, or unix:// and the path of a socket"
    )


@pytest.mark.parametrize(
    "url",
    [
        "",
        "redis://here",
        "redis://:secret@[::1]:6379/15",
        "rediss://me:secret@here/0?ssl_cert_reqs=none",
        "unix:///run/redis.sock?db=1",
    ],
)
def test_the_addresses_of_a_redis_are_taken(new_embedded: Command, url: str) -> None:
    # The next setting is what is wrong.
    refusal = new_embedded.inside.refusal(
        "serve", env={"CUSTOMERGRAPH_REDIS_URL": url, "CUSTOMERGRAPH_RUNNING_LIMIT": "none"}
    )

    assert refusal.startswith("setting CUSTOMERGRAPH_RUNNING_LIMIT: ")


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ("127.0.0.1:{closed}/store", "Connect call failed"),
        ("127.0.0.1:{port}/no_such_store", 'database "no_such_store" does not exist'),
        # The words for it are the system's own.
        ("nowhere.invalid/store", "[Errno "),
    ],
    ids=["away", "no such database", "no such host"],
)
@pytest.mark.parametrize("words", ["db upgrade", "db check", "project list", "serve --port 0"])
def test_a_server_that_cannot_be_reached_is_told_in_one_line_without_the_password(
    new_embedded: Command, postgresql: PostgreSQLServer, words: str, where: str, reason: str
) -> None:
    address = where.format(closed=free_port(), port=postgresql.port)
    url = f"postgresql+asyncpg://postgres:zzsecret@{address}"

    refusal = new_embedded.inside.refusal(*words.split(), "--database-url", url)

    assert refusal.startswith("the store does not answer: ")
    assert reason in refusal
    assert "zzsecret" not in refusal


def test_a_file_that_cannot_be_opened_is_refused_in_one_line(embedded: Command) -> None:
    text = embedded.file("notes.db", "These are notes, and no database at all.\n" * 100)

    for path, reason in (
        (text, f"{text} is no SQLite database"),
        (embedded.folder, "Is a directory"),
    ):
        refusal = embedded.inside.refusal("project", "list", "--database-url", f"sqlite+aiosqlite:///{path}")
        assert refusal.endswith(reason)
    missing = f"sqlite+aiosqlite:///{embedded.folder / 'missing' / 'store.db'}"
    assert embedded.inside.refusal("db", "upgrade", "--database-url", missing).endswith("No such file or directory")


def test_the_schema_is_the_committed_one_byte_for_byte(new_embedded: Command) -> None:
    assert new_embedded.succeed("schema").encode() == (ROOT / "schema.graphql").read_bytes()
    assert not (new_embedded.folder / "store.db").exists()
