"""The interfaces of billing, and of the payments that it depends on."""
