"""A project is exported to files that can be imported (contract, `sync.md`, section 10)."""

import json
from pathlib import Path
from typing import Any

import pytest

from commands.command import Command
from commands.conftest import MakeCommand
from conftest import MakeTenant
from factories import NOON, Tenant

KINDS = ("locations", "tags", "customers", "messages", "reviews", "charges")
# Everything of a project that files can have, without the ids, which are the store's own.
PROJECT = """
{
  locations { slug name displayName code address1 city }
  tags { slug name color icon }
  customers(first: 100, includeArchived: true, sortKey: CREATED_AT, sortDir: ASC) {
    nodes {
      uuid firstName lastName email phone company hasSubscription notes address1 city postalCode signedUpAt askedAt
      messagedAt reviewedAt archivedAt unsubscribedAt createdAt location { slug } tags { slug }
      messages(first: 20) { nodes {
        uuid askId channel template status failedReason scheduledAt processedAt sentAt deliveredAt openedAt clickedAt
        failedAt complainedAt canceledAt
      } }
      reviews(first: 20) { nodes { uuid score body source url reply repliedAt createdAt location { slug } } }
      charges(first: 20) { nodes { uuid amount currency chargedAt location { slug } } }
    }
  }
}
"""


@pytest.fixture
def command(acme: Tenant, on_store: MakeCommand) -> Command:
    return on_store(acme.database_url)


def fill(acme: Tenant) -> None:
    """Add customers with histories: one archived, one unsubscribed, and one without an email and a phone."""
    acme.add_histories(3, each=2)
    acme.add_customer(archived_at=NOON, notes='two\\nlines, "quoted"', phone="+14155550123")
    silent = acme.add_customer(unsubscribed_at=NOON, signed_up_at=NOON, has_subscription=True)
    acme.add_messages({"customer_id": silent, "failed_at": NOON, "failed_reason": "bounced", "ask_id": 2**60})
    acme.add_reviews({"customer_id": silent, "body": "=1+1; é", "score": 4})
    acme.add_charges({"customer_id": silent, "amount": -(10**15)})


@pytest.mark.parametrize("format_", ["ndjson", "csv"])
def test_an_exported_project_is_imported_as_the_same_project(
    acme: Tenant, make_tenant: MakeTenant, command: Command, format_: str
) -> None:
    fill(acme)
    copy = make_tenant("copy")

    command.inside.succeed("export", "files", "--project", "acme", "--format", format_)
    for kind in KINDS:
        command.inside.succeed("import", kind, f"files/{kind}.{format_}", "--project", "copy", "--strict")

    exported = acme.client.data(PROJECT)
    assert len(exported["customers"]["nodes"]) == 5
    assert copy.client.data(PROJECT) == exported


@pytest.mark.parametrize("format_", ["ndjson", "csv"])
def test_values_that_look_like_marks_of_spreadsheets_are_imported_as_they_are(
    acme: Tenant, make_tenant: MakeTenant, command: Command, format_: str
) -> None:
    for text in ('="x"', '="=""x"""', '=""', "'123", "''+1", "5 '7", '="', "' '1", "sep=;"):
        acme.add_customer(first_name=text, notes=f"{text}\n{text}", address1=text, city=text, postal_code=text[:20])
    copy = make_tenant("copy")
    command.inside.succeed("export", "files", "--project", "acme", "--format", format_)

    command.inside.succeed("import", "all", "files", "--project", "copy")

    assert copy.client.data(PROJECT) == acme.client.data(PROJECT)


@pytest.mark.parametrize("format_", ["ndjson", "csv"])
def test_an_exported_folder_is_imported_by_one_command(
    acme: Tenant, make_tenant: MakeTenant, command: Command, format_: str
) -> None:
    fill(acme)
    acme.add_reviews({"customer_id": None, "body": "Of a deleted customer."})
    copy = make_tenant("copy")
    command.inside.succeed("export", "files", "--project", "acme", "--format", format_)

    command.inside.succeed("import", "all", "files", "--project", "copy")
    again = command.inside.run("import", "all", "files", "--project", "copy")

    reviews = "{ reviews(first: 100) { nodes { uuid body customer { uuid } } } }"
    assert copy.client.data(PROJECT) == acme.client.data(PROJECT)
    assert copy.client.data(reviews) == acme.client.data(reviews)
    assert " 0 added, 0 updated, " in again.stderr.splitlines()[-1]


def test_a_folder_that_was_not_exported_is_refused(acme: Tenant, command: Command) -> None:  # noqa: ARG001
    (command.folder / "files").mkdir()

    refusal = command.inside.refusal("import", "all", "files", "--project", "acme")

    assert refusal.startswith("files has no file of locations, tags, customers,")


def test_the_feed_goes_on_from_the_cursor_of_an_export(acme: Tenant, command: Command) -> None:
    acme.add_customer()

    command.inside.succeed("export", "files", "--project", "acme")
    acme.add_tags("vip")

    after = (command.folder / "files/cursor").read_text("utf-8")
    changes = acme.client.data("query($after: String) { changes(after: $after) { nodes { kind } } }", after=after)
    assert changes["changes"]["nodes"] == [{"kind": "TAG"}]
    assert {path.name for path in (command.folder / "files").iterdir()} == {"cursor", *(f"{k}.ndjson" for k in KINDS)}


def test_a_row_has_the_columns_of_import(acme: Tenant, command: Command) -> None:
    acme.add_customer(first_name="Ada", email="ada@example.com", created_at=NOON)

    command.inside.succeed("export", "files", "--project", "acme")

    (row,) = rows(command.folder / "files/customers.ndjson")
    assert (row["first_name"], row["email"], row["created_at"]) == ("Ada", "ada@example.com", "2026-03-01T12:00:00Z")
    assert (row["tags"], row["location"], row["has_subscription"]) == (None, None, False)


def rows(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_only_a_new_or_an_empty_folder_is_written_to(acme: Tenant, command: Command) -> None:  # noqa: ARG001
    (command.folder / "empty").mkdir()
    command.inside.succeed("export", "empty", "--project", "acme")

    refusal = command.inside.refusal("export", "empty", "--project", "acme")
    unknown = command.inside.refusal("export", "new", "--project", "none")
    nowhere = command.inside.refusal("export", "no/where", "--project", "acme")

    assert refusal == "the export cannot be written to empty: the folder is not empty: choose a new one"
    assert "none" in unknown
    assert nowhere == "the export cannot be written to no/where: No such file or directory"
    assert not (command.folder / "new").exists()
