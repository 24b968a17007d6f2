"""What matching says of each label, and of the model as a whole."""
