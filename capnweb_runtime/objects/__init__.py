"""What users hold and write: stubs and promises, targets, callbacks, streams, models. Rule: values in, values out; what
travels is the core's business.
"""
