"""Everything the hub remembers, and the only SQL (SQLAlchemy 2 Core, SQLite or PostgreSQL).

Owns tables, migrations and statements. Refuses to know HTTP, MQTT and the rules of parcels.
"""
