"""The language both sides speak: topics, messages, facts and the keys that open doors.

Owns every byte that crosses between a site and the hub, or is printed for a reader to scan.
Refuses to know what is done about them: no clock, no network, no storage. Standard library and msgspec only.
"""
