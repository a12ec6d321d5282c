"""The interface of the pipeline."""
