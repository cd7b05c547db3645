"""Who did what at the hub, on what, when and why: a log in which a lost, changed or added line is found (A-13, I-28)."""
