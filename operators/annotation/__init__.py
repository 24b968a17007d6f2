"""Rounds: send, watch, review, pull, undo."""
