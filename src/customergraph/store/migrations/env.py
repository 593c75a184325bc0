"""Run by Alembic, on the connection that store.upgrades hands over."""

from alembic import context

from customergraph.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()
