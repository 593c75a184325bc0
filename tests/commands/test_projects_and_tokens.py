"""Projects and tokens on the command line (contract, `cli.md`)."""

from datetime import UTC, datetime, timedelta

from commands.command import Command, token_in


def test_projects_are_created_once_and_listed(command: Command) -> None:
    command.inside.succeed("project", "create", "acme", "--name", "Acme & Söhne", "--timezone", "Europe/Berlin")

    refusal = command.inside.refusal("project", "create", "acme", "--name", "Other")
    listed = command.inside.succeed("project", "list").splitlines()

    assert refusal == "a project with the slug 'acme' exists already: choose another; `project list` shows them"
    assert listed[0].split("\t") == ["slug", "name", "timezone", "uuid"]
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


def test_an_unknown_project_is_refused_in_one_line(command: Command) -> None:
    command.file("tags.csv", "slug,name\nvip,VIP\n")

    for words in (
        ("token", "create", "--project", "nope", "--name", "x"),
        ("token", "list", "--project", "nope"),
        ("import", "tags", "tags.csv", "--project", "nope"),
    ):
        assert command.inside.refusal(*words) == "no project has the slug 'nope': `project list` shows them"


def test_wrong_usage_ends_with_2(embedded: Command) -> None:
    assert embedded.run("token", "create").returncode == 2
    embedded.file("customers.txt", "first_name,email\n")
    for words in (
        ("nonsense",),
        ("project", "create", "acme"),
        ("project", "create", "Not A Slug", "--name", "x"),
        ("project", "create", "acme", "--name", "x", "--timezone", "Mars/Olympus"),
        ("token", "create", "--project", "acme", "--name", "x", "--expires-in", "soon"),
        ("token", "create", "--project", "acme", "--name", "x", "--scope", "admin"),
        ("import", "unicorns", "customers.csv", "--project", "acme"),
        ("import", "customers", "customers.txt", "--project", "acme"),
        ("import", "customers", "-", "--project", "acme"),
    ):
        result = embedded.inside.run(*words)
        assert (result.returncode, result.stdout) == (2, ""), words
        assert "Traceback" not in result.stderr
