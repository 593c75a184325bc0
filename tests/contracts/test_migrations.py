"""Stores with rows are upgraded while they are served."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

import stores
from commands.command import Command
from customergraph.domain.principal import Scope
from customergraph.domain.text import KEYS_VERSION, fold
from factories import Tenant

LIST = "{ customers(filter: UNSUBSCRIBED, sortKey: ASKED_AT) { totalCount nodes { id } } }"
SEARCH = "query($q: String) { customers(q: $q, sortKey: NAME, sortDir: ASC) { nodes { name } } }"
BEHIND = "the store's schema is behind (version {}, needed 0009): run `customergraph db upgrade`"
WRONG_KEY = (
    "project acme: 1 rows of customer have keys that do not follow from their texts: run `customergraph db upgrade`"
)
SORT_INDEX = "ix_customer_project_id_is_archived_{}_id"
NEW_INDEXES = [
    SORT_INDEX.format("updated_at"),
    *(f"ix_{table}_project_id_id" for table in ("message", "review", "charge")),
    "ix_customer_location",
    "ix_customer_name_prefix",
    *(f"ix_{table}_stats" for table in ("message", "review", "charge")),
    *(f"ix_{table}_project_id_location_id_id" for table in ("review", "charge")),
    "ix_message_project_id_channel_id",
    "ix_review_project_id_score_id",
    "ix_charge_project_id_currency_id",
]
BY_EMAIL = "query($email: String) { customers(email: $email) { nodes { databaseId email } } }"
DELETE = "mutation($id: ID!) { deleteCustomer(id: $id) { deletedCustomerId } }"
ADVICE = "give one of them another email or delete it, and run `customergraph db upgrade`"
# More than one batch of the rewriting of keys.
MANY = 2_500


def make_second_version(url: str) -> None:
    """Turn a store back into one of the second version, with that version's keys."""
    for index in NEW_INDEXES:
        stores.execute(url, f"DROP INDEX {index}")
    texts = stores.rows(url, "SELECT id, first_name, last_name, email, company, phone FROM customer")
    keys = [{"id": row[0], "key": "\n".join(fold(part) for part in _parts(*row[1:]) if part)} for row in texts]
    stores.execute_each(url, "UPDATE customer SET search_key = :key WHERE id = :id", keys)
    folded = [{"id": row[0], "key": fold(row[3])} for row in texts if row[3]]
    stores.execute_each(url, "UPDATE customer SET email_key = :key WHERE id = :id", folded)
    stores.execute(url, f"DROP INDEX {SORT_INDEX.format('email_sort_key')}")
    stores.execute(url, "ALTER TABLE customer DROP COLUMN email_sort_key")
    old = SORT_INDEX.format("email_key")
    stores.execute(url, f"CREATE INDEX {old} ON customer (project_id, is_archived, email_key, id)")
    stores.execute(url, "DROP TABLE store_fact")
    for table in ("change", "feed"):
        stores.execute(url, f"DROP TABLE {table}")
    stores.execute(url, "DROP INDEX uq_token_name")
    stores.execute(url, "ALTER TABLE token DROP COLUMN owns_name")
    stores.execute(url, "ALTER TABLE project DROP COLUMN deleted_at")
    stores.execute(url, "UPDATE alembic_version SET version_num = '0002'")


def _parts(first: str, last: str | None, *others: str | None) -> list[str | None]:
    return [f"{first} {last}" if last else first, *others]


def make_first_version(url: str) -> None:
    """Turn a store back into one of the first version."""
    make_second_version(url)
    stores.execute(url, "DROP INDEX ix_customer_unsubscribed_by_asked")
    stores.execute(url, "UPDATE alembic_version SET version_num = '0001'")


def add_as_older_worker(tenant: Tenant, name: str) -> None:
    """Add a customer as workers of the second version do."""
    columns = {
        "project_id": str(tenant.project_id),
        "uuid": f"'{uuid4().hex}'",
        "first_name": f"'{name}'",
        "has_subscription": "false",
        "created_at": "'2026-01-01T00:00:00.000000Z'",
        "updated_at": "'2026-01-01T00:00:00.000000Z'",
        "has_clicked": "false",
        "has_charges": "false",
        "name_key": f"'{fold(name)}'",
        "search_key": f"'{fold(name)}'",
    }
    names, values = ", ".join(columns), ", ".join(columns.values())
    stores.execute(tenant.database_url, f"INSERT INTO customer ({names}) VALUES ({values})")  # noqa: S608 - ours


@contextmanager
def used_by_an_older_worker(tenant: Tenant) -> Iterator[list[str]]:
    """Read and write from another thread until the end of the block; yields the codes of the errors."""
    errors: list[str] = []
    stop = threading.Event()

    def use() -> None:
        while not stop.is_set():
            answer = tenant.client.answer(LIST)
            errors.extend(error["extensions"]["code"] for error in answer.get("errors", ()))
            add_as_older_worker(tenant, "Ada")

    thread = threading.Thread(target=use)
    thread.start()
    try:
        yield errors
    finally:
        stop.set()
        thread.join(20)


def test_a_filled_store_is_upgraded_while_an_older_worker_serves_it(acme: Tenant) -> None:
    acme.add_histories(20)
    before = acme.rows_beside_the_feed()
    make_first_version(acme.database_url)

    with used_by_an_older_worker(acme) as errors:
        upgraded = stores.upgraded(acme.database_url)

    assert upgraded
    assert errors == []
    stores.upgraded(acme.database_url)
    assert stores.problems(acme.database_url) == stores.known_problems(acme.database_url)
    after = acme.rows_beside_the_feed()
    lost = {table: set(rows) - set(after[table]) for table, rows in before.items()}
    assert not any(lost.values()), lost
    assert not stores.upgraded(acme.database_url)


def test_an_upgrade_rewrites_the_keys_of_every_customer_and_nothing_else(acme: Tenant) -> None:
    acme.add_customers(*({"first_name": "Zoë", "last_name": f"García {number}"} for number in range(MANY)))
    before = acme.rows_beside_the_feed()
    make_second_version(acme.database_url)

    assert stores.upgraded(acme.database_url)

    assert acme.rows_beside_the_feed() == before
    assert stores.problems(acme.database_url) == stores.known_problems(acme.database_url)
    nodes = acme.client.data(SEARCH, q=f"zoe garcia {MANY - 1}")["customers"]["nodes"]
    assert nodes == [{"name": f"Zoë García {MANY - 1}"}]


def test_keys_that_an_older_worker_wrote_are_reported_and_rewritten(acme: Tenant) -> None:
    add_as_older_worker(acme, "Chloé")
    assert acme.client.data(SEARCH, q="chloe")["customers"]["nodes"] == []

    assert stores.problems(acme.database_url) == [*stores.known_problems(acme.database_url), WRONG_KEY]
    assert stores.upgraded(acme.database_url)

    assert stores.problems(acme.database_url) == stores.known_problems(acme.database_url)
    assert acme.client.data(SEARCH, q="chloe")["customers"]["nodes"] == [{"name": "Chloé"}]
    assert not stores.upgraded(acme.database_url)


def test_two_old_customers_of_one_mailbox_stay_and_are_reported_until_one_is_deleted(acme: Tenant) -> None:
    url = acme.database_url
    first, second, third = acme.add_customers(
        {"email": "Anna@b\u00fccher.example"}, {"email": "one@example.com"}, {"email": "bea@fa\u00df.example"}
    )
    stores.execute(url, f"UPDATE customer SET email = 'anna@\uff42\u00fccher.example' WHERE id = {second}")  # noqa: S608 - ours
    make_second_version(url)

    assert stores.upgraded(url)

    emails = stores.rows(url, "SELECT id, email FROM customer ORDER BY id")
    assert emails == [
        (first, "Anna@b\u00fccher.example"),
        (second, "anna@\uff42\u00fccher.example"),
        (third, "bea@fa\u00df.example"),
    ]
    line = f"project acme: customer {second} has the mailbox of customer {first}: {ADVICE}"
    assert stores.problems(url) == [*stores.known_problems(url), line]
    assert not stores.upgraded(url)
    assert ids_with_email(acme, "anna@xn--bcher-kva.example") == [first]
    assert ids_with_email(acme, "bea@fa\u00df.example") == [third]

    acme.client.data(DELETE, id=first)
    assert stores.upgraded(url)

    assert stores.problems(url) == stores.known_problems(url)
    assert ids_with_email(acme, "anna@xn--bcher-kva.example") == [second]


def ids_with_email(tenant: Tenant, email: str) -> list[int]:
    nodes = tenant.client.data(BY_EMAIL, email=email)["customers"]["nodes"]
    return [node["databaseId"] for node in nodes]


@pytest.mark.parametrize("table", ["location", "tag"])
def test_a_wrong_key_of_a_location_or_a_tag_is_reported_and_rewritten(acme: Tenant, table: str) -> None:
    acme.add_locations("one", "two")
    acme.add_tags("one", "two")
    before = acme.rows_beside_the_feed()
    stores.execute(acme.database_url, f"UPDATE {table} SET name_key = 'zzz' WHERE slug = 'one'")  # noqa: S608 - ours

    (problem,) = set(stores.problems(acme.database_url)) - set(stores.known_problems(acme.database_url))
    assert problem.startswith(f"project acme: 1 rows of {table} have keys")
    assert stores.upgraded(acme.database_url)

    assert acme.rows_beside_the_feed() == before


def test_keys_of_another_version_are_reported_and_rewritten(acme: Tenant, tmp_path: Path) -> None:
    url = acme.database_url
    stores.execute(url, "UPDATE store_fact SET value = '2, Unicode 1.1.0' WHERE name = 'keys_version'")

    assert Command(tmp_path, url).inside.refusal("db", "check") == (
        f"the store's search keys are of another version (2, Unicode 1.1.0, needed {KEYS_VERSION}):"
        " run `customergraph db upgrade`"
    )
    assert stores.upgraded(url)
    assert stores.problems(url) == stores.known_problems(url)


def test_tokens_of_an_older_version_get_names_of_their_own(acme: Tenant, tmp_path: Path) -> None:
    url = acme.database_url
    names = ["test", "test", "test (2)", "x" * 255, "x" * 255, "test"]
    secrets = [acme.token_with(Scope.READ) for _ in names[1:]]
    acme.revoke(secrets[-1])
    stores.execute(url, "DROP INDEX uq_token_name")
    ids = [id_ for (id_,) in stores.rows(url, "SELECT id FROM token ORDER BY id")]
    renamings = [{"id": id_, "name": name} for id_, name in zip(ids, names, strict=True)]
    stores.execute_each(url, "UPDATE token SET name = :name WHERE id = :id", renamings)
    stores.execute(url, "CREATE INDEX uq_token_name ON token (name)")
    make_second_version(url)

    assert stores.upgraded(url)

    new_names = [name for (name,) in stores.rows(url, "SELECT name FROM token ORDER BY id")]
    assert new_names == ["test", "test (3)", "test (2)", "x" * 255, f"{'x' * 251} (2)", "test"]
    assert stores.problems(url) == stores.known_problems(url)
    assert acme.client.data("{ project { slug } }") == {"project": {"slug": "acme"}}
    rotated = Command(tmp_path, url).inside.succeed("token", "rotate", secrets[0][:12])
    assert stores.rows(url, "SELECT name FROM token WHERE prefix = :prefix", prefix=rotated[:12]) == [("test (3)",)]


def test_a_store_of_an_older_version_is_reported(database_url: str, tmp_path: Path) -> None:
    make_first_version(database_url)

    refusal = Command(tmp_path, database_url).inside.refusal("db", "check")

    assert refusal == BEHIND.format("0001")
