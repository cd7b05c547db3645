"""How the hub and the machines of its sites are, for whoever keeps them running."""
