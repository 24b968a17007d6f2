"""Rounds as FiftyOne's own annotation runs, ours and those that it made itself."""
