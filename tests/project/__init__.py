"""Tests of the repository itself: what is packaged, what the README promises, how the code is layered."""
