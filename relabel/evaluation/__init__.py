"""What a model finds, and how far labels and model agree."""
