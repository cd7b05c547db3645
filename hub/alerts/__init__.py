"""Alerts and messages: their part of the API, and the periodic look at silence."""
