"""A token's name is its own in its project, and projects can be deleted.

Revision ID: 0006
Revises: 0005

Of several tokens with one name the oldest keeps it; the others get a number, so that no token is lost.
"""

from collections.abc import Iterator
from itertools import count

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# As the type was when this was written, so that it does the same for ever.
TIMESTAMP = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")
LONGEST = 255

TOKEN = sa.table("token", sa.column("id"), sa.column("project_id"), sa.column("name"), sa.column("revoked_at"))


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        # In the order in which workers read them, so that no two wait for each other. Both tables are small:
        # workers wait for some milliseconds.
        op.execute("LOCK TABLE token, project IN ACCESS EXCLUSIVE MODE")
    for id_, name in list(_new_names()):
        op.execute(TOKEN.update().where(TOKEN.c.id == id_).values(name=name))
    op.add_column("project", sa.Column("deleted_at", TIMESTAMP, nullable=True))
    op.add_column("token", sa.Column("owns_name", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.create_index(
        "uq_token_name",
        "token",
        ["project_id", "name"],
        unique=True,
        sqlite_where=sa.text("owns_name IS 1 AND revoked_at IS NULL"),
        postgresql_where=sa.text("owns_name IS true AND revoked_at IS NULL"),
    )


def _new_names() -> Iterator[tuple[int, str]]:
    """Yield the id and the new name of each token whose name an older one has."""
    valid = sa.select(TOKEN).where(TOKEN.c.revoked_at.is_(None)).order_by(TOKEN.c.id)
    rows = op.get_bind().execute(valid).all()
    taken = {(row.project_id, row.name) for row in rows}
    kept = set()
    for row in rows:
        if (row.project_id, row.name) not in kept:
            kept.add((row.project_id, row.name))
            continue
        name = next(name for name in _numbered(row.name) if (row.project_id, name) not in taken)
        taken.add((row.project_id, name))
        yield row.id, name


def _numbered(name: str) -> Iterator[str]:
    for number in count(2):
        suffix = f" ({number})"
        yield f"{name[: LONGEST - len(suffix)]}{suffix}"
