"""Projects and tokens on the command line (contract, `cli.md`)."""

import json
import shlex
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from commands.command import Command, token_in
from factories import Tenant

pytestmark = pytest.mark.slow


def test_projects_are_created_once_and_listed(command: Command) -> None:
    command.inside.succeed("project", "create", "acme", "--name", "Acme & Söhne", "--timezone", "Europe/Berlin")

    refusal = command.inside.refusal("project", "create", "acme", "--name", "Other")
    listed = command.inside.succeed("project", "list").splitlines()

    assert refusal == "a project with the slug 'acme' exists already: choose another; `project list` shows them"
    assert listed[0].split("\t") == ["slug", "name", "timezone", "uuid", "deleted_at"]
    assert [line.split("\t")[:3] for line in listed[1:]] == [["acme", "Acme & Söhne", "Europe/Berlin"]]


def test_a_token_stands_alone_on_standard_output_and_reads_by_default(command: Command) -> None:
    command.inside.succeed("project", "create", "acme", "--name", "Acme")

    made = command.run("token", "create", "--project", "acme", "--name", "reports")
    command.inside.succeed(
        *("token", "create", "--project", "acme", "--name", "loader"),
        *("--scope", "write", "--scope", "read", "--expires-in", "90d"),
    )

    assert made.stdout == token_in(made.stdout) + "\n"
    assert made.stdout.strip() not in made.stderr
    listed = command.inside.succeed("token", "list", "--project", "acme")
    assert made.stdout.strip() not in listed
    header, reports, loader = (line.split("\t") for line in listed.splitlines())
    assert header == ["prefix", "name", "scopes", "created_at", "expires_at", "revoked_at", "last_used_at"]
    assert made.stdout.startswith(reports[0])
    assert reports[1:3] + reports[4:] == ["reports", "read", "-", "-", "-"]
    assert loader[1:3] == ["loader", "read write"]
    lifetime = datetime.fromisoformat(loader[4]) - datetime.now(UTC)
    assert timedelta(days=89) < lifetime <= timedelta(days=90)


def test_a_revoked_token_is_listed_as_revoked(command: Command) -> None:
    command.inside.succeed("project", "create", "acme", "--name", "Acme")
    token = command.inside.succeed("token", "create", "--project", "acme", "--name", "reports")
    prefix = token[:12]

    command.inside.succeed("token", "revoke", prefix)

    assert command.inside.succeed("token", "list", "--project", "acme").splitlines()[1].split("\t")[5] != "-"
    assert command.inside.refusal("token", "revoke", "cg_unknown") == (
        "no token has the prefix 'cg_unknown': `token list --project SLUG` shows them"
    )


def test_a_token_is_printed_as_json(command: Command) -> None:
    command.inside.succeed("project", "create", "acme", "--name", "Acme")

    words = ("token", "create", "--project", "acme", "--name", "loader", "--scope", "write", "--expires-in", "1d")
    token = json.loads(command.inside.succeed(*words, "--json"))

    (stored,) = json.loads(command.inside.succeed("token", "list", "--project", "acme", "--json"))
    assert token == {
        "token": token_in(token["token"]),
        "prefix": stored["prefix"],
        "project": "acme",
        "name": "loader",
        "scopes": ["write"],
        "expires_at": stored["expires_at"],
    }


def test_lists_are_json_where_that_is_asked_for(command: Command) -> None:
    assert json.loads(command.inside.succeed("project", "list", "--json")) == []
    command.inside.succeed("project", "create", "acme", "--name", "Acme & Söhne")
    command.inside.succeed("token", "create", "--project", "acme", "--name", "reports")

    (project,) = json.loads(command.inside.succeed("project", "list", "--json"))
    (token,) = json.loads(command.inside.succeed("token", "list", "--project", "acme", "--json"))

    assert {**project, "uuid": ""} == {
        "slug": "acme",
        "name": "Acme & Söhne",
        "timezone": "UTC",
        "uuid": "",
        "deleted_at": None,
    }
    assert {**token, "prefix": "", "created_at": ""} == {
        "prefix": "",
        "name": "reports",
        "scopes": ["read"],
        **dict.fromkeys(("expires_at", "revoked_at", "last_used_at")),
        "created_at": "",
    }


def test_lists_are_tables_on_a_terminal_with_names_as_they_are(embedded: Command) -> None:
    embedded.inside.succeed("project", "create", "acme", "--name", "Acme [red]")

    list_command = shlex.join(embedded.words("project", "list"))
    shown = embedded.execute(["script", "--quiet", "--command", list_command, "/dev/null"]).stdout

    assert "│ acme" in shown
    assert "Acme [red]" in shown


def test_a_name_belongs_to_one_valid_token_of_a_project(command: Command) -> None:
    for slug in ("acme", "other"):
        command.inside.succeed("project", "create", slug, "--name", slug)
    create = ("token", "create", "--name", "reports", "--project")
    prefix = command.inside.succeed(*create, "acme")[:12]

    command.inside.succeed(*create, "other")
    refusal = command.inside.refusal(*create, "acme")

    assert refusal == (
        f"the token {prefix} of this project has the name 'reports':"
        " choose another name, or rotate or revoke that token"
    )
    assert command.rows("SELECT count(*) FROM token") == [2]


@pytest.mark.parametrize("end", ["revoked_at", "expires_at"])
def test_the_name_of_a_token_that_is_no_longer_valid_is_free(command: Command, end: str) -> None:
    command.inside.succeed("project", "create", "acme", "--name", "Acme")
    create = ("token", "create", "--name", "reports", "--project", "acme")
    command.inside.succeed(*create)
    command.change(f"UPDATE token SET {end} = '2026-01-01T00:00:00.000000Z'")  # noqa: S608 - ours

    command.inside.succeed(*create)

    assert command.rows("SELECT name FROM token") == ["reports", "reports"]


def test_one_of_several_tokens_that_are_made_with_one_name_at_the_same_time_gets_it(command: Command) -> None:
    command.inside.succeed("project", "create", "acme", "--name", "Acme")
    words = command.words("token", "create", "--name", "reports", "--project", "acme")

    with ThreadPoolExecutor(3) as pool:
        codes = [ran.returncode for ran in pool.map(command.execute, [words] * 3)]

    assert sorted(codes) == [0, 1, 1]
    assert command.rows("SELECT count(*) FROM token") == [1]


def test_a_renamed_project_keeps_its_tokens_ids_and_cursors(acme: Tenant, tmp_path: Path) -> None:
    acme.add_customers(*[{}] * 3)
    page = "query($after: String) { customers(first: 2, after: $after) { nodes { id } pageInfo { endCursor } } }"
    first = acme.client.data(page)["customers"]
    command = Command(tmp_path, acme.database_url).inside

    command.succeed("project", "rename", "acme", "--name", "Acme Inc.", "--slug", "acme-inc")

    assert acme.client.data("{ project { slug name } }")["project"] == {"slug": "acme-inc", "name": "Acme Inc."}
    assert len(acme.client.data(page, after=first["pageInfo"]["endCursor"])["customers"]["nodes"]) == 1
    command.succeed("token", "list", "--project", "acme-inc")


def test_a_slug_that_is_taken_or_unknown_is_refused(command: Command) -> None:
    for slug in ("acme", "other"):
        command.inside.succeed("project", "create", slug, "--name", slug)

    assert command.inside.refusal("project", "rename", "acme", "--slug", "other") == (
        "a project with the slug 'other' exists already: choose another; `project list` shows them"
    )
    assert command.inside.refusal("project", "rename", "nope", "--name", "x") == (
        "no project has the slug 'nope': `project list` shows them"
    )
    assert command.rows("SELECT slug, name FROM project ORDER BY id") == [("acme", "acme"), ("other", "other")]


def test_an_unknown_project_is_refused_in_one_line(command: Command) -> None:
    command.file("tags.csv", "slug,name\nvip,VIP\n")

    for words in (
        ("token", "create", "--project", "nope", "--name", "x"),
        ("token", "list", "--project", "nope"),
        ("project", "delete", "nope", "--confirm", "nope"),
        ("import", "tags", "tags.csv", "--project", "nope"),
    ):
        assert command.inside.refusal(*words) == "no project has the slug 'nope': `project list` shows them"


def test_wrong_usage_ends_with_2(embedded: Command) -> None:
    assert embedded.run("token", "create").returncode == 2
    embedded.file("customers.doc", "first_name,email\n")
    for words in (
        ("nonsense",),
        ("project", "create", "acme"),
        ("project", "create", "Not A Slug", "--name", "x"),
        ("project", "create", "acme", "--name", "x", "--timezone", "Mars/Olympus"),
        ("token", "create", "--project", "acme", "--name", "x", "--expires-in", "soon"),
        ("token", "create", "--project", "acme", "--name", "x", "--scope", "admin"),
        ("token", "create", "--project", "acme", "--name", "x", "--expires-in", "0d"),
        ("token", "rotate", "cg_123456789", "--overlap", "soon"),
        ("project", "rename", "acme"),
        ("project", "rename", "acme", "--slug", "Not A Slug"),
        ("project", "delete", "acme"),
        ("project", "delete", "acme", "--confirm", "other"),
        ("import", "unicorns", "customers.csv", "--project", "acme"),
        ("import", "customers", "customers.doc", "--project", "acme"),
        ("import", "customers", "-", "--project", "acme"),
    ):
        result = embedded.inside.run(*words)
        assert (result.returncode, result.stdout) == (2, ""), words
        assert "Traceback" not in result.stderr
