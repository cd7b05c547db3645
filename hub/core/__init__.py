"""The hub's rules, pure: what facts change, what a plan says, what a request may ask.

Standard library and `wire` only. No clock, no randomness, no input or output, no logging.
"""
