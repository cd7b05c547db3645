"""Alembic's entry: runs migrations on the connection that `hub.store.migrate` hands over, inside its transaction."""

from alembic import context

from hub.store.schema import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA, render_as_batch=False)
context.run_migrations()
