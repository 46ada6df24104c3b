"""Everything that is done *to* the system: load, later faults, experiments and invariants.

It drives the system from outside, by addresses, and imports nothing of `services`.
"""
