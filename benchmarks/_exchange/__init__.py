"""The parts of ``benchmarks/exchange.py``: what is sent, who edits it, and both sides."""
