"""Speed, shown as ratios between programs that run in turn. Rule: nothing here asserts a time; counts are asserted
in the test modules.
"""
