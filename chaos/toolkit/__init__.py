"""What experiments call: Chaos Toolkit's actions, probes and controls, and the session that they share.

A session is one run of an experiment against one running system: its load, its samples, its fault, its assertions.
"""
