"""Made by the compiler of its time."""
