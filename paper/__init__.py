"""What we print: pickup slips, staff badges and command cards.

Owns how they look, in every language, as PDF and as a page. Data in, bytes or markup out: no clock, no network, no
storage. Refuses to know parcels' lives, people's names or how a key is made (`wire.pickup` does that).
"""
