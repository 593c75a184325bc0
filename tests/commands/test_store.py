"""The store on the command line: made, upgraded, checked, and refused when it is behind."""

from pathlib import Path

from commands.command import Command, Imports

ROOT = Path(__file__).parents[2]


def test_upgrading_makes_a_store_and_changes_one_that_is_new_no_more(new_store: Command) -> None:
    absent = new_store.inside.refusal("db", "check")
    assert "customergraph db upgrade" in absent
    assert not new_store.store.exists()

    first, second = new_store.run("db", "upgrade"), new_store.inside.run("db", "upgrade")

    assert (first.returncode, first.stderr) == (0, "The store was upgraded.\n")
    assert (second.returncode, second.stderr) == (0, "The store is up to date.\n")
    assert new_store.inside.run("db", "check").stderr == "The store is up to date and consistent.\n"


def test_a_check_finds_times_that_the_history_does_not_bear_out(command: Command) -> None:
    imports = Imports(command.env["CUSTOMERGRAPH_DATABASE_URL"], command.folder)
    imports.csv("customers", "first_name,email", "Ann,ann@example.com", "Bob,bob@example.com")
    imports.csv("reviews", "email,score,created_at", "ann@example.com,5,2026-01-01")
    assert command.inside.run("db", "check").returncode == 0
    command.rows("UPDATE customer SET reviewed_at = NULL WHERE first_name = 'Ann'")
    command.rows("UPDATE customer SET asked_at = '2026-01-01T00:00:00.000000Z' WHERE first_name = 'Bob'")

    refusal = command.refusal("db", "check")

    assert refusal.startswith("project acme: 2 customers have an asked, messaged or reviewed time")


def test_a_store_that_is_behind_is_not_served(command: Command) -> None:
    command.rows("DELETE FROM alembic_version")

    assert "run `customergraph db upgrade`" in command.refusal("serve", "--port", "0")
    for words in (("project", "list"), ("db", "check")):
        assert "run `customergraph db upgrade`" in command.inside.refusal(*words)


def test_a_store_of_a_newer_version_is_neither_served_nor_upgraded(command: Command) -> None:
    command.rows("UPDATE alembic_version SET version_num = '9999'")

    assert "made by a newer customergraph" in command.inside.refusal("serve", "--port", "0")
    assert "made by a newer customergraph" in command.inside.refusal("db", "upgrade")


def test_a_setting_that_does_not_parse_is_named(command: Command) -> None:
    for name, value in (
        ("PORT", "eighty"),
        ("WORKERS", "0"),
        ("GRAPHIQL", "perhaps"),
        ("DATABASE_URL", "mysql://here"),
        ("DATABASE_URL", "sqlite+aiosqlite:///"),
    ):
        variable = f"CUSTOMERGRAPH_{name}"
        refusal = command.inside.refusal("serve", env={variable: value})
        assert refusal.startswith(f"setting {variable}: ")
        assert repr(value) in refusal
    command.file(".env", "CUSTOMERGRAPH_WORKERS=many\n")
    assert command.refusal("serve").startswith("setting CUSTOMERGRAPH_WORKERS: ")
    command.file(".env", b"CUSTOMERGRAPH_HOST=\xff\n")
    assert command.inside.refusal("serve").startswith(".env: ")


def test_a_store_that_cannot_be_opened_is_refused_in_one_line(command: Command) -> None:
    text = command.file("notes.db", "These are notes, and no database at all.\n" * 100)

    for path, reason in (
        (text, f"{text} is no SQLite database"),
        (command.folder / "missing" / "store.db", "No such file or directory"),
        (command.folder, "Is a directory"),
    ):
        refusal = command.inside.refusal("project", "list", "--database-url", f"sqlite+aiosqlite:///{path}")
        assert refusal.endswith(reason)


def test_the_schema_is_the_committed_one_byte_for_byte(new_store: Command) -> None:
    assert new_store.done("schema").encode() == (ROOT / "schema.graphql").read_bytes()
    assert not new_store.store.exists()
