"""Speed, shown as ratios between programs that run in turn. Rule: nothing here asserts a time; counts are asserted, by
`tests/runtime/test_cost.py`.

`driver` has the workloads; `client` and `server` are ours, their .mjs twins the npm package's, `peers` the others. In
`compare` everybody has a turn, `growth` shows what becomes of it as something grows, `run` does both. From what they
find, `figures`, `plots` and `render` make docs/performance.md. `mounts` compares what carries the calls, which
`carriers` lists, and adds its part.
"""
