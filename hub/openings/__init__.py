"""Doors opened from afar: asking, the second person, and following what the site says (ADR 0021)."""
