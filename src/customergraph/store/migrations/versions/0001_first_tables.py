"""The first tables.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# As the types were when this was written, so that it does the same for ever.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIMESTAMP = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "project",
        sa.Column("id", ID, nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("slug", KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project")),
        sa.UniqueConstraint("slug", name=op.f("uq_project_slug")),
        sa.UniqueConstraint("uuid", name=op.f("uq_project_uuid")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "location",
        sa.Column("id", ID, nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("slug", KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("address1", sa.Text(), nullable=True),
        sa.Column("address2", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("postal_code", sa.Text(), nullable=True),
        sa.Column("name_key", KEY, nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_location_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_location")),
        sa.UniqueConstraint("project_id", "id", name=op.f("uq_location_project_id_id")),
        sa.UniqueConstraint("project_id", "slug", name=op.f("uq_location_project_id_slug")),
        sa.UniqueConstraint("project_id", "uuid", name=op.f("uq_location_project_id_uuid")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_location_project_id_name_key_id"), "location", ["project_id", "name_key", "id"], unique=False
    )
    op.create_table(
        "tag",
        sa.Column("id", ID, nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("slug", KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("color", sa.String(length=7), nullable=True),
        sa.Column("icon", sa.Text(), nullable=True),
        sa.Column("name_key", KEY, nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_tag_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tag")),
        sa.UniqueConstraint("project_id", "id", name=op.f("uq_tag_project_id_id")),
        sa.UniqueConstraint("project_id", "slug", name=op.f("uq_tag_project_id_slug")),
        sa.UniqueConstraint("project_id", "uuid", name=op.f("uq_tag_project_id_uuid")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_tag_project_id_name_key_id"), "tag", ["project_id", "name_key", "id"], unique=False)
    op.create_table(
        "token",
        sa.Column("id", ID, nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", KEY, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", TIMESTAMP, nullable=False),
        sa.Column("expires_at", TIMESTAMP, nullable=True),
        sa.Column("revoked_at", TIMESTAMP, nullable=True),
        sa.Column("last_used_at", TIMESTAMP, nullable=True),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_token_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        sa.UniqueConstraint("prefix", name=op.f("uq_token_prefix")),
        sa.UniqueConstraint("sha256", name=op.f("uq_token_sha256")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_token_project_id"), "token", ["project_id"], unique=False)
    op.create_table(
        "customer",
        sa.Column("id", ID, nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("last_name", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", KEY, nullable=True),
        sa.Column("company", sa.Text(), nullable=True),
        sa.Column("has_subscription", sa.Boolean(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("address1", sa.Text(), nullable=True),
        sa.Column("address2", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("postal_code", sa.Text(), nullable=True),
        sa.Column("location_id", sa.BigInteger(), nullable=True),
        sa.Column("signed_up_at", TIMESTAMP, nullable=True),
        sa.Column("created_at", TIMESTAMP, nullable=False),
        sa.Column("updated_at", TIMESTAMP, nullable=False),
        sa.Column("archived_at", TIMESTAMP, nullable=True),
        sa.Column("unsubscribed_at", TIMESTAMP, nullable=True),
        sa.Column("asked_at", TIMESTAMP, nullable=True),
        sa.Column("messaged_at", TIMESTAMP, nullable=True),
        sa.Column("reviewed_at", TIMESTAMP, nullable=True),
        sa.Column("has_clicked", sa.Boolean(), nullable=False),
        sa.Column("has_charges", sa.Boolean(), nullable=False),
        sa.Column("name_key", KEY, nullable=False),
        sa.Column("email_key", KEY, nullable=True),
        sa.Column("company_key", KEY, nullable=True),
        sa.Column("search_key", KEY, nullable=False),
        sa.Column(
            "is_archived",
            sa.Boolean(),
            sa.Computed("archived_at IS NOT NULL", persisted=True),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "location_id"],
            ["location.project_id", "location.id"],
            name=op.f("fk_customer_project_id_location_id_location"),
        ),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_customer_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer")),
        sa.UniqueConstraint("project_id", "email_key", name=op.f("uq_customer_project_id_email_key")),
        sa.UniqueConstraint("project_id", "id", name=op.f("uq_customer_project_id_id")),
        sa.UniqueConstraint("project_id", "phone", name=op.f("uq_customer_project_id_phone")),
        sa.UniqueConstraint("project_id", "uuid", name=op.f("uq_customer_project_id_uuid")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_customer_project_id_is_archived_asked_at_id"),
        "customer",
        ["project_id", "is_archived", "asked_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_customer_project_id_is_archived_company_key_id"),
        "customer",
        ["project_id", "is_archived", "company_key", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_customer_project_id_is_archived_created_at_id"),
        "customer",
        ["project_id", "is_archived", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_customer_project_id_is_archived_email_key_id"),
        "customer",
        ["project_id", "is_archived", "email_key", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_customer_project_id_is_archived_messaged_at_id"),
        "customer",
        ["project_id", "is_archived", "messaged_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_customer_project_id_is_archived_name_key_id"),
        "customer",
        ["project_id", "is_archived", "name_key", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_customer_project_id_is_archived_phone_id"),
        "customer",
        ["project_id", "is_archived", "phone", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_customer_project_id_is_archived_reviewed_at_id"),
        "customer",
        ["project_id", "is_archived", "reviewed_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_customer_project_id_is_archived_signed_up_at_id"),
        "customer",
        ["project_id", "is_archived", "signed_up_at", "id"],
        unique=False,
    )
    # After the sorts' indexes: of two that serve a list equally, SQLite takes the one made last.
    op.create_index(
        "ix_customer_asked",
        "customer",
        ["project_id", "is_archived", "created_at", "id"],
        unique=False,
        sqlite_where=sa.text("asked_at IS NOT NULL"),
        postgresql_where=sa.text("asked_at IS NOT NULL"),
    )
    op.create_index(
        "ix_customer_has_charges",
        "customer",
        ["project_id", "is_archived", "created_at", "id"],
        unique=False,
        sqlite_where=sa.text("has_charges IS 1"),
        postgresql_where=sa.text("has_charges IS true"),
    )
    op.create_index(
        "ix_customer_has_notes",
        "customer",
        ["project_id", "is_archived", "created_at", "id"],
        unique=False,
        sqlite_where=sa.text("notes IS NOT NULL"),
        postgresql_where=sa.text("notes IS NOT NULL"),
    )
    op.create_index(
        "ix_customer_not_asked",
        "customer",
        ["project_id", "is_archived", "created_at", "id"],
        unique=False,
        sqlite_where=sa.text("asked_at IS NULL AND unsubscribed_at IS NULL"),
        postgresql_where=sa.text("asked_at IS NULL AND unsubscribed_at IS NULL"),
    )
    op.create_index(
        "ix_customer_not_messaged",
        "customer",
        ["project_id", "is_archived", "created_at", "id"],
        unique=False,
        sqlite_where=sa.text("messaged_at IS NULL"),
        postgresql_where=sa.text("messaged_at IS NULL"),
    )
    op.create_index(
        "ix_customer_not_reviewed",
        "customer",
        ["project_id", "is_archived", "created_at", "id"],
        unique=False,
        sqlite_where=sa.text("reviewed_at IS NULL"),
        postgresql_where=sa.text("reviewed_at IS NULL"),
    )
    op.create_index(
        "ix_customer_reviewed",
        "customer",
        ["project_id", "is_archived", "created_at", "id"],
        unique=False,
        sqlite_where=sa.text("reviewed_at IS NOT NULL"),
        postgresql_where=sa.text("reviewed_at IS NOT NULL"),
    )
    op.create_index(
        "ix_customer_unsubscribed",
        "customer",
        ["project_id", "is_archived", "created_at", "id"],
        unique=False,
        sqlite_where=sa.text("unsubscribed_at IS NOT NULL"),
        postgresql_where=sa.text("unsubscribed_at IS NOT NULL"),
    )
    op.create_index(
        "ix_customer_missed",
        "customer",
        ["project_id", "is_archived", "created_at", "id"],
        unique=False,
        sqlite_where=sa.text("has_clicked IS 1 AND reviewed_at IS NULL"),
        postgresql_where=sa.text("has_clicked IS true AND reviewed_at IS NULL"),
    )
    op.create_table(
        "charge",
        sa.Column("id", ID, nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("location_id", sa.BigInteger(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("charged_at", TIMESTAMP, nullable=False),
        sa.Column("created_at", TIMESTAMP, nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id", "customer_id"],
            ["customer.project_id", "customer.id"],
            name=op.f("fk_charge_project_id_customer_id_customer"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "location_id"],
            ["location.project_id", "location.id"],
            name=op.f("fk_charge_project_id_location_id_location"),
        ),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_charge_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_charge")),
        sa.UniqueConstraint("project_id", "uuid", name=op.f("uq_charge_project_id_uuid")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_charge_project_id_customer_id_charged_at_id"),
        "charge",
        ["project_id", "customer_id", "charged_at", "id"],
        unique=False,
    )
    op.create_table(
        "customer_tag",
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("tag_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id", "customer_id"],
            ["customer.project_id", "customer.id"],
            name=op.f("fk_customer_tag_project_id_customer_id_customer"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "tag_id"],
            ["tag.project_id", "tag.id"],
            name=op.f("fk_customer_tag_project_id_tag_id_tag"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_customer_tag_project_id_project")),
        sa.PrimaryKeyConstraint("project_id", "customer_id", "tag_id", name=op.f("pk_customer_tag")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_customer_tag_project_id_tag_id_customer_id"),
        "customer_tag",
        ["project_id", "tag_id", "customer_id"],
        unique=False,
    )
    op.create_table(
        "message",
        sa.Column("id", ID, nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("ask_id", sa.BigInteger(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("scheduled_at", TIMESTAMP, nullable=False),
        sa.Column("processed_at", TIMESTAMP, nullable=True),
        sa.Column("sent_at", TIMESTAMP, nullable=True),
        sa.Column("delivered_at", TIMESTAMP, nullable=True),
        sa.Column("opened_at", TIMESTAMP, nullable=True),
        sa.Column("clicked_at", TIMESTAMP, nullable=True),
        sa.Column("failed_at", TIMESTAMP, nullable=True),
        sa.Column("failed_reason", sa.Text(), nullable=True),
        sa.Column("complained_at", TIMESTAMP, nullable=True),
        sa.Column("canceled_at", TIMESTAMP, nullable=True),
        sa.Column("created_at", TIMESTAMP, nullable=False),
        sa.CheckConstraint("channel IN ('EMAIL', 'SMS')", name=op.f("ck_message_channel")),
        sa.CheckConstraint(
            "template IN ('REQUEST', 'REMINDER', 'THANKS_POSITIVE', 'THANKS_NEGATIVE')",
            name=op.f("ck_message_template"),
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "customer_id"],
            ["customer.project_id", "customer.id"],
            name=op.f("fk_message_project_id_customer_id_customer"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_message_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("project_id", "uuid", name=op.f("uq_message_project_id_uuid")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_message_project_id_customer_id_scheduled_at_id"),
        "message",
        ["project_id", "customer_id", "scheduled_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_message_unsent",
        "message",
        ["project_id", "customer_id"],
        unique=False,
        sqlite_where=sa.text("processed_at IS NULL AND sent_at IS NULL AND failed_at IS NULL AND canceled_at IS NULL"),
        postgresql_where=sa.text(
            "processed_at IS NULL AND sent_at IS NULL AND failed_at IS NULL AND canceled_at IS NULL"
        ),
    )
    op.create_table(
        "review",
        sa.Column("id", ID, nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("location_id", sa.BigInteger(), nullable=True),
        sa.Column("score", sa.SmallInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("reply", sa.Text(), nullable=True),
        sa.Column("replied_at", TIMESTAMP, nullable=True),
        sa.Column("created_at", TIMESTAMP, nullable=False),
        sa.Column("updated_at", TIMESTAMP, nullable=False),
        sa.CheckConstraint("score BETWEEN 1 AND 5", name=op.f("ck_review_score")),
        sa.ForeignKeyConstraint(
            ["project_id", "customer_id"],
            ["customer.project_id", "customer.id"],
            name=op.f("fk_review_project_id_customer_id_customer"),
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "location_id"],
            ["location.project_id", "location.id"],
            name=op.f("fk_review_project_id_location_id_location"),
        ),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_review_project_id_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
        sa.UniqueConstraint("project_id", "uuid", name=op.f("uq_review_project_id_uuid")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_review_project_id_customer_id_created_at_id"),
        "review",
        ["project_id", "customer_id", "created_at", "id"],
        unique=False,
    )
