"""The figures of benchmarks/curation.py, one file for each."""
