"""Objects with one owner, found by name from every worker; see docs/scale.md."""
