"""The tables, their constraints, and the index behind every list.

Each row of a tenant's table carries its project, and its references carry it too, so the
database itself refuses a row that points into another project.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    and_,
    literal_column,
    true,
)
from sqlalchemy.sql import ColumnElement

from customergraph.domain.customer import CustomerFilter
from customergraph.domain.feed import ENTITY_OF, ChangeAction, ChangeKind
from customergraph.domain.message import UNSENT_WITHOUT, MessageChannel, MessageTemplate
from customergraph.store.numbered import Numbered
from customergraph.store.timestamps import Timestamp

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Text that is sorted, searched or unique is compared by code point on every store (contract,
# section 3), whatever the collation of the database is. SQLite always compares so.
_Key = Text().with_variant(Text(collation="C"), "postgresql")

# SQLite generates increasing ids only for an INTEGER PRIMARY KEY.
_Id = BigInteger().with_variant(Integer, "sqlite")

# Ids are never reused, so that an old link cannot lead to a new row (contract, section 2).
_NEVER_REUSED: dict[str, Any] = {"sqlite_autoincrement": True}


def _of_project() -> list[Any]:
    return [
        Column("id", _Id, primary_key=True),
        Column("project_id", BigInteger, ForeignKey("project.id"), nullable=False),
        Column("uuid", Uuid, nullable=False),
        UniqueConstraint("project_id", "uuid"),
    ]


def _address() -> list[Column[Any]]:
    return [Column(name, Text) for name in ("address1", "address2", "city", "state", "postal_code")]


def _within_project(column: str, table: str, **options: Any) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["project_id", column], [f"{table}.project_id", f"{table}.id"], **options)


def _one_of(column: str, names: type[MessageChannel] | type[MessageTemplate]) -> CheckConstraint:
    listed = ", ".join(f"'{name}'" for name in names)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


project = Table(
    "project",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("uuid", Uuid, nullable=False, unique=True),
    Column("slug", _Key, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    # When its deletion began: from then on nothing is written into it.
    Column("deleted_at", Timestamp),
    **_NEVER_REUSED,
)

store_fact = Table(
    "store_fact",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

token = Table(
    "token",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("project_id", BigInteger, ForeignKey("project.id"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("prefix", _Key, nullable=False, unique=True),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("scopes", Text, nullable=False),
    Column("created_at", Timestamp, nullable=False),
    Column("expires_at", Timestamp),
    Column("revoked_at", Timestamp),
    Column("last_used_at", Timestamp),
    # Whether the name is taken by it: a token that is replaced keeps the name, and the new one owns it.
    Column("owns_name", Boolean, nullable=False, server_default=true()),
    **_NEVER_REUSED,
)
_NAMED = and_(token.c.owns_name.is_(true()), token.c.revoked_at.is_(None))
Index("uq_token_name", token.c.project_id, token.c.name, unique=True, sqlite_where=_NAMED, postgresql_where=_NAMED)

location = Table(
    "location",
    metadata,
    *_of_project(),
    Column("slug", _Key, nullable=False),
    Column("name", Text, nullable=False),
    Column("display_name", Text),
    Column("code", Text),
    *_address(),
    Column("name_key", _Key, nullable=False),
    UniqueConstraint("project_id", "slug"),
    UniqueConstraint("project_id", "id"),
    Index(None, "project_id", "name_key", "id"),
    **_NEVER_REUSED,
)

tag = Table(
    "tag",
    metadata,
    *_of_project(),
    Column("slug", _Key, nullable=False),
    Column("name", Text, nullable=False),
    Column("color", String(7)),
    Column("icon", Text),
    Column("name_key", _Key, nullable=False),
    UniqueConstraint("project_id", "slug"),
    UniqueConstraint("project_id", "id"),
    Index(None, "project_id", "name_key", "id"),
    **_NEVER_REUSED,
)

customer = Table(
    "customer",
    metadata,
    *_of_project(),
    Column("first_name", Text, nullable=False),
    Column("last_name", Text),
    Column("email", Text),
    Column("phone", _Key),
    Column("company", Text),
    Column("has_subscription", Boolean, nullable=False),
    Column("notes", Text),
    *_address(),
    Column("location_id", BigInteger),
    Column("signed_up_at", Timestamp),
    Column("created_at", Timestamp, nullable=False),
    Column("updated_at", Timestamp, nullable=False),
    Column("archived_at", Timestamp),
    Column("unsubscribed_at", Timestamp),
    # Only store.history.refresh writes these five, which follow from the history.
    Column("asked_at", Timestamp),
    Column("messaged_at", Timestamp),
    Column("reviewed_at", Timestamp),
    Column("has_clicked", Boolean, nullable=False),
    Column("has_charges", Boolean, nullable=False),
    # Only domain.customer.derived makes these five, which follow from the texts.
    Column("name_key", _Key, nullable=False),
    Column("email_key", _Key),
    Column("email_sort_key", _Key),
    Column("company_key", _Key),
    Column("search_key", _Key, nullable=False),
    Column("is_archived", Boolean, Computed("archived_at IS NOT NULL", persisted=True), nullable=False),
    UniqueConstraint("project_id", "email_key"),
    UniqueConstraint("project_id", "phone"),
    UniqueConstraint("project_id", "id"),
    _within_project("location_id", "location"),
    **_NEVER_REUSED,
)

SORT_COLUMNS = (
    "name_key",
    "email_sort_key",
    "phone",
    "company_key",
    "created_at",
    "signed_up_at",
    "asked_at",
    "messaged_at",
    "reviewed_at",
    "updated_at",
)
for _key in SORT_COLUMNS:
    Index(None, customer.c.project_id, customer.c.is_archived, customer.c[_key], customer.c.id)
# How a name begins, in the form that searches compare: the search key begins with the name.
NAME_PREFIX_LENGTH = 16
# As text, so that the statements have the very expression of PostgreSQL's index, without parameters.
NAME_PREFIX_SQL = f"substr(search_key, 1, {NAME_PREFIX_LENGTH})"
Index(
    "ix_customer_location",
    customer.c.project_id,
    customer.c.is_archived,
    customer.c.location_id,
    customer.c.created_at,
    customer.c.id,
)

# The conditions of each facet, besides whether the customer is archived.
FACETS: dict[CustomerFilter, tuple[ColumnElement[bool], ...]] = {
    CustomerFilter.ARCHIVED: (),
    CustomerFilter.ASKED: (customer.c.asked_at.is_not(None),),
    CustomerFilter.NOT_ASKED: (customer.c.asked_at.is_(None), customer.c.unsubscribed_at.is_(None)),
    CustomerFilter.NOT_MESSAGED: (customer.c.messaged_at.is_(None),),
    CustomerFilter.MISSED: (customer.c.has_clicked.is_(true()), customer.c.reviewed_at.is_(None)),
    CustomerFilter.REVIEWED: (customer.c.reviewed_at.is_not(None),),
    CustomerFilter.NOT_REVIEWED: (customer.c.reviewed_at.is_(None),),
    CustomerFilter.HAS_NOTES: (customer.c.notes.is_not(None),),
    CustomerFilter.HAS_CHARGES: (customer.c.has_charges.is_(true()),),
    CustomerFilter.UNSUBSCRIBED: (customer.c.unsubscribed_at.is_not(None),),
}
for _facet, _conditions in FACETS.items():
    if _conditions:
        Index(
            f"ix_customer_{_facet.lower()}",
            customer.c.project_id,
            customer.c.is_archived,
            customer.c.created_at,
            customer.c.id,
            sqlite_where=and_(*_conditions),
            postgresql_where=and_(*_conditions),
        )

# Unsubscribed customers have the oldest `asked_at`, since nothing more is scheduled for them: without this
# index their list, newest first, would walk all other customers.
Index(
    "ix_customer_unsubscribed_by_asked",
    customer.c.project_id,
    customer.c.is_archived,
    customer.c.asked_at,
    customer.c.id,
    sqlite_where=and_(*FACETS[CustomerFilter.UNSUBSCRIBED]),
    postgresql_where=and_(*FACETS[CustomerFilter.UNSUBSCRIBED]),
)

customer_tag = Table(
    "customer_tag",
    metadata,
    Column("project_id", BigInteger, ForeignKey("project.id"), primary_key=True),
    Column("customer_id", BigInteger, primary_key=True),
    Column("tag_id", BigInteger, primary_key=True),
    _within_project("customer_id", "customer", ondelete="CASCADE"),
    _within_project("tag_id", "tag", ondelete="CASCADE"),
    Index(None, "project_id", "tag_id", "customer_id"),
    sqlite_with_rowid=False,
)

# The times of a message that statistics count.
MESSAGE_STAGES = (
    "sent_at",
    "delivered_at",
    "opened_at",
    "clicked_at",
    "failed_at",
    "complained_at",
    "canceled_at",
)

message = Table(
    "message",
    metadata,
    *_of_project(),
    Column("customer_id", BigInteger, nullable=False),
    Column("ask_id", BigInteger),
    Column("channel", Text, nullable=False),
    Column("template", Text, nullable=False),
    Column("scheduled_at", Timestamp, nullable=False),
    Column("processed_at", Timestamp),
    Column("sent_at", Timestamp),
    Column("delivered_at", Timestamp),
    Column("opened_at", Timestamp),
    Column("clicked_at", Timestamp),
    Column("failed_at", Timestamp),
    Column("failed_reason", Text),
    Column("complained_at", Timestamp),
    Column("canceled_at", Timestamp),
    Column("created_at", Timestamp, nullable=False),
    _one_of("channel", MessageChannel),
    _one_of("template", MessageTemplate),
    _within_project("customer_id", "customer", ondelete="CASCADE"),
    Index(None, "project_id", "customer_id", "scheduled_at", "id"),
    Index(None, "project_id", "id"),
    Index(None, "project_id", "channel", "id"),
    # Has all that `stats` reads, so that a month costs what the month has.
    Index("ix_message_stats", "project_id", "scheduled_at", "channel", *MESSAGE_STAGES),
    **_NEVER_REUSED,
)
UNSENT = and_(*(message.c[name].is_(None) for name in UNSENT_WITHOUT))
Index(
    "ix_message_unsent",
    message.c.project_id,
    message.c.customer_id,
    sqlite_where=UNSENT,
    postgresql_where=UNSENT,
)

review = Table(
    "review",
    metadata,
    *_of_project(),
    Column("customer_id", BigInteger),
    Column("location_id", BigInteger),
    Column("score", SmallInteger, nullable=False),
    Column("body", Text),
    Column("source", Text, nullable=False),
    Column("url", Text),
    Column("reply", Text),
    Column("replied_at", Timestamp),
    Column("created_at", Timestamp, nullable=False),
    Column("updated_at", Timestamp, nullable=False),
    CheckConstraint("score BETWEEN 1 AND 5", name="score"),
    _within_project("customer_id", "customer"),
    _within_project("location_id", "location"),
    Index(None, "project_id", "customer_id", "created_at", "id"),
    Index(None, "project_id", "id"),
    Index(None, "project_id", "score", "id"),
    Index(None, "project_id", "location_id", "id"),
    Index("ix_review_stats", "project_id", "created_at", "score", "location_id", "source"),
    **_NEVER_REUSED,
)

charge = Table(
    "charge",
    metadata,
    *_of_project(),
    Column("customer_id", BigInteger, nullable=False),
    Column("location_id", BigInteger),
    Column("amount", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("charged_at", Timestamp, nullable=False),
    Column("created_at", Timestamp, nullable=False),
    _within_project("customer_id", "customer", ondelete="CASCADE"),
    _within_project("location_id", "location"),
    Index(None, "project_id", "customer_id", "charged_at", "id"),
    Index(None, "project_id", "id"),
    Index(None, "project_id", "currency", "id"),
    Index(None, "project_id", "location_id", "id"),
    Index("ix_charge_stats", "project_id", "charged_at", "currency", "amount", "location_id"),
    **_NEVER_REUSED,
)

# How far the feed of each project has come. Its row is what writers of one project wait for (contract, `sync.md`,
# section 7): a position is seen when all before it are.
feed = Table(
    "feed",
    metadata,
    Column("project_id", BigInteger, ForeignKey("project.id"), primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False),
)

# It refers to no other table: what it tells of may be gone, and a foreign key to the project would be checked
# for each change while other writers wait.
change = Table(
    "change",
    metadata,
    Column("project_id", BigInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Timestamp, nullable=False),
    Column("kind", Numbered(ENTITY_OF), nullable=False),
    Column("action", Numbered(ChangeAction), nullable=False),
    Column("subject_id", BigInteger, nullable=False),
    Column("subject_uuid", Uuid, nullable=False),
    Column("customer_id", BigInteger),
    # The names of the columns that changed, parted by spaces.
    Column("fields", Text),
    # The token that it was made with.
    Column("token_id", BigInteger),
    sqlite_with_rowid=False,
)
DELETED_CUSTOMERS = and_(
    change.c.kind == literal_column(Numbered.text(ENTITY_OF, ChangeKind.CUSTOMER)),
    change.c.action == literal_column(Numbered.text(ChangeAction, ChangeAction.DELETED)),
)
# Finds the id of a customer who is gone by its uuid.
Index(
    "ix_change_deleted_customer",
    change.c.project_id,
    change.c.subject_uuid,
    sqlite_where=DELETED_CUSTOMERS,
    postgresql_where=DELETED_CUSTOMERS,
)


def is_tenants(table: Table) -> bool:
    """Return whether each row of a table belongs to one tenant, which is so when it has a project.

    Tokens have one too, but a token is read to find out which project a request is for.
    """
    return "project_id" in table.c and table is not token
