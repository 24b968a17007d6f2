"""The engine of Relabel: everything that works without the FiftyOne App."""
