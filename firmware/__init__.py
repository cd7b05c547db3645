"""What one can touch on the Pi: latches, doors, scanner, signals. Pins and bytes, never parcels."""
