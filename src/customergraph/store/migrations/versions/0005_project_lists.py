"""Indexes for the lists of a whole project's messages, reviews and charges, and for customers by `updated_at`.

Revision ID: 0005
Revises: 0004

PostgreSQL's are made after the migrations, without stopping writers.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    for table in ("message", "review", "charge"):
        op.create_index(op.f(f"ix_{table}_project_id_id"), table, ["project_id", "id"], unique=False)
    op.create_index(
        op.f("ix_customer_project_id_is_archived_updated_at_id"),
        "customer",
        ["project_id", "is_archived", "updated_at", "id"],
        unique=False,
    )
