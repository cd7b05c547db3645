"""Carriers: their keys, their part of the API, the events they are sent, and announcements in bulk."""
