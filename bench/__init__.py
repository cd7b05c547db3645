"""Benchmarks beside their floors. Every figure is a ratio to a floor measured in the same run, milliseconds apart."""
