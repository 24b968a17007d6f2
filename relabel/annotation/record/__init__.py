"""What is kept of a round: the request, its tasks, its baseline."""
