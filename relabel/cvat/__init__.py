"""Talks to a CVAT server over its REST API. Knows nothing of FiftyOne."""
