"""The interface of the translators."""
