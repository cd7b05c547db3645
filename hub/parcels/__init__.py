"""Parcels: announcing, re-issuing, recalling; and their part of the API."""
