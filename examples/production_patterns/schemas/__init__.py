"""The interfaces of the shop, and of what it depends on."""
