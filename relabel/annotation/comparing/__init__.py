"""Labels against the shapes in CVAT: drawn, read back, told apart."""
