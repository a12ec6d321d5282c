"""What the inspector's page may ask; compiled into `inspector.generated`."""
