"""The storage point's program: parcels, keys and doors by their labels; never a pin number."""
