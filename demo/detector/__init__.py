"""A small real detector of handwritten digits, signed like those of the TF2 Detection Zoo."""
