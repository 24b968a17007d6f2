"""An evaluation on its dataset: the FiftyOne run, the marks, what is kept for the next time."""
