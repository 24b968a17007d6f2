"""Which images are worth annotating."""
