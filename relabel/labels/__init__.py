"""FiftyOne labels <-> CVAT shapes, exact both ways. Pure functions."""
