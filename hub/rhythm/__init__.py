"""When much comes to a site, and when little: what it learns from its own months."""
