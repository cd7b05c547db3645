"""Who comes in: passwords, sessions, tokens."""
