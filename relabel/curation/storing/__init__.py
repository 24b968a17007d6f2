"""What is found about samples, kept as FiftyOne runs and fields, whole or not at all."""
