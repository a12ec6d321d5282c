"""What is compiled to Python and to TypeScript, for both to talk to each other."""
