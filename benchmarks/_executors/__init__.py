"""The parts of `benchmarks/executors.py`; its faults are those of the tests, too."""
