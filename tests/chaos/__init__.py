"""What becomes of calls whose connections are cut, at every byte and at random."""
