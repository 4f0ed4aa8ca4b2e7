"""What the platform costs, beside peers that do the same without it. `python -m benchmarks` measures and prints a table.

A benchmark compares two things in one run: they take turns, medians are quoted, and a bootstrap says how far chance may have
moved their ratio. Each is a module named after what it measures, and its docstring says why the comparison is fair.
"""
