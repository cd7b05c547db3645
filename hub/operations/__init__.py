"""Looking after the hub's database: copies of it, putting one back, and proving that it agrees with itself."""
