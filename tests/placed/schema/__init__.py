"""A schema for clients whose connections are cut."""
