"""Everything the demo and the tests need to run on real data without a network."""
