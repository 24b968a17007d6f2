"""Detectors, and their predictions on samples, here or on a Ray cluster."""
