"""An import that loses a race against another transaction begins again; it says so when it loses every time."""

from pathlib import Path

import pytest

from commands.command import Command, reject_rows
from customergraph.store.database import ATTEMPTS
from faults.sessions import Session
from faults.test_lost_races import attempts, lose_first_attempts

pytestmark = pytest.mark.slow

AT_A_LATE_ROW = (
    "CREATE TRIGGER lose AFTER INSERT ON customer FOR EACH ROW"
    " WHEN (NEW.email_key = 'n6000@example.com') EXECUTE FUNCTION lose()"
)
# More than a batch.
ROWS = [f"N{number},n{number}@example.com" for number in range(1, 7_001)]


@pytest.fixture
def acme(postgresql_url: str, tmp_path: Path) -> Command:
    command = Command(tmp_path, postgresql_url)
    command.inside.succeed("project", "create", "acme", "--name", "Acme")
    return command


def import_of(command: Command, *options: str, rows: list[str] = ROWS) -> tuple[int, list[str]]:
    """Import customers from standard input, which is a pipe; returns the exit code and the lines of standard error."""
    content = "\n".join(["first_name,email", *rows])
    result = command.run("import", "customers", "-", "--format", "csv", "--project", "acme", *options, stdin=content)
    return result.returncode, result.stderr.splitlines()


@pytest.mark.parametrize("state", ["40001", "40P01", "23505"])
@pytest.mark.parametrize("options", [(), ("--strict",)], ids=["batches", "strict"])
def test_an_import_that_lost_two_races_begins_again(
    acme: Command, other_session: Session, options: tuple[str, ...], state: str
) -> None:
    lose_first_attempts(other_session, 2, AT_A_LATE_ROW, state)

    code, lines = import_of(acme, *options)

    assert (code, attempts(other_session)) == (0, 3)
    assert lines[0].startswith("customers: 7,000 added, 0 updated, 0 unchanged, 0 rejected in ")
    assert acme.rows("SELECT count(*), count(DISTINCT email_key) FROM customer") == [(7_000, 7_000)]


@pytest.mark.parametrize(
    ("options", "result", "stored"),
    [((), "what was imported before stays", 5_000), (("--strict",), "nothing was imported", 0)],
    ids=["batches", "strict"],
)
def test_an_import_that_loses_every_race_says_so_and_what_became_of_it(
    acme: Command, other_session: Session, options: tuple[str, ...], result: str, stored: int
) -> None:
    lose_first_attempts(other_session, 1_000_000, AT_A_LATE_ROW, "23505")

    code, lines = import_of(acme, *options)

    assert attempts(other_session) == ATTEMPTS
    reason = f"others changed the same rows at each of 5 attempts: {result}; import the file again"
    assert (code, lines) == (1, [f"customergraph: {reason}"])
    assert acme.rows("SELECT count(*) FROM customer") == [stored]


def test_rejects_of_a_lost_attempt_are_reported_once(acme: Command, other_session: Session) -> None:
    lose_first_attempts(other_session, 1, AT_A_LATE_ROW)

    code, lines = import_of(acme, "--strict", rows=[",nameless@example.com", *ROWS])

    assert (code, attempts(other_session)) == (1, 2)
    assert lines[0].startswith("customers: 0 added, 0 updated, 0 unchanged, 1 rejected in ")
    assert reject_rows(acme.folder / "stdin.rejects.csv") == [("2", "first_name", "must not be blank")]
    assert acme.rows("SELECT count(*) FROM customer") == [0]
