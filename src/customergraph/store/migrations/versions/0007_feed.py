"""The feed of each project's changes.

Revision ID: 0007
Revises: 0006

It begins empty: what older workers write until they are replaced is not in it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# As the type was when this was written, so that it does the same for ever.
TIMESTAMP = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "feed",
        sa.Column("project_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_feed_project_id_project")),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_feed")),
    )
    op.create_table(
        "change",
        sa.Column("project_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", TIMESTAMP, nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("action", sa.SmallInteger(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("subject_uuid", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("fields", sa.Text(), nullable=True),
        sa.Column("token_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "position", name=op.f("pk_change")),
        sqlite_with_rowid=False,
    )
    deletions = sa.text("kind = 3 AND action = 3")
    op.create_index(
        "ix_change_deleted_customer",
        "change",
        ["project_id", "subject_uuid"],
        unique=False,
        sqlite_where=deletions,
        postgresql_where=deletions,
    )
