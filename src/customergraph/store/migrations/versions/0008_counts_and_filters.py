"""Indexes for counts by period, and for more filters and the relevance of customers.

Revision ID: 0008
Revises: 0007

PostgreSQL's are made after the migrations, without stopping writers.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

STAGES = ("sent_at", "delivered_at", "opened_at", "clicked_at", "failed_at", "complained_at", "canceled_at")
INDEXES = (
    ("ix_customer_location", "customer", ("is_archived", "location_id", "created_at", "id")),
    ("ix_message_project_id_channel_id", "message", ("channel", "id")),
    ("ix_message_stats", "message", ("scheduled_at", "channel", *STAGES)),
    ("ix_review_project_id_score_id", "review", ("score", "id")),
    ("ix_review_project_id_location_id_id", "review", ("location_id", "id")),
    ("ix_review_stats", "review", ("created_at", "score", "location_id", "source")),
    ("ix_charge_project_id_currency_id", "charge", ("currency", "id")),
    ("ix_charge_project_id_location_id_id", "charge", ("location_id", "id")),
    ("ix_charge_stats", "charge", ("charged_at", "currency", "amount", "location_id")),
)


def upgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    for name, table, columns in INDEXES:
        op.create_index(op.f(name), table, ["project_id", *columns], unique=False)
