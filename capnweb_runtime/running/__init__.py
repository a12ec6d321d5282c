"""What `python -m capnweb_runtime` does, a command in each module. Nothing else imports it."""
