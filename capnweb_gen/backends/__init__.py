"""Back ends: each writes one language from views, with templates and nothing else."""
