"""The way out: tasks, media and labels, step by step, and the way back from it."""
