"""The demonstration: every program of Consigne on one machine, and a page where one person plays every role."""
