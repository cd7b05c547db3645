"""The central server: mirrors what the sites say, tells them what is wanted, and shows both to people.

Owns intents (announced parcels, key versions, recalls, people). Refuses to know doors: what is physical belongs to the
site, and the hub only keeps what a site said. Imports `wire` and `paper`, never `controller` or `firmware`.
"""
