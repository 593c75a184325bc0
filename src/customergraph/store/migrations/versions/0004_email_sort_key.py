"""Emails are unique by mailbox, and sorted by a separate key.

Revision ID: 0004
Revises: 0003

`email_key`, which is unique, becomes the mailbox; `email_sort_key` is the folded text. Both are written
after the migrations, in batches (store/keys.py). PostgreSQL's index of the new column is also made then,
without stopping writers, and the index of the old column is dropped last.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("customer", sa.Column("email_sort_key", KEY, nullable=True))
    if op.get_bind().dialect.name == "sqlite":
        op.create_index(
            op.f("ix_customer_project_id_is_archived_email_sort_key_id"),
            "customer",
            ["project_id", "is_archived", "email_sort_key", "id"],
            unique=False,
        )
