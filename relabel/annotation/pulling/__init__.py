"""The way back: review, merge, undo."""
