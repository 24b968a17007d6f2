"""Samples in the plane, those that are alike near one another."""
