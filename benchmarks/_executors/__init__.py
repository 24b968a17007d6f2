"""The parts of `benchmarks/executors.py`."""
