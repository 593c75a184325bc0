"""An index of how names begin, for the order by relevance.

Revision ID: 0009
Revises: 0008

PostgreSQL's is made after the migrations, without stopping writers.
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE INDEX ix_customer_name_prefix ON customer (project_id, is_archived, substr(search_key, 1, 16))"
        )
