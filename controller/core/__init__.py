"""How a site thinks: `decide` and `evolve` are the whole product in the small; read them first.

Pure: the standard library and `wire`. No clock, no randomness, no input or output, no logging.
"""
