"""The round: one trip of samples to CVAT and back."""
