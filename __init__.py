"""Relabel: closes the loop between FiftyOne and CVAT."""


def register(plugin):
    """Registers every operator and panel that ``fiftyone.yml`` lists."""
