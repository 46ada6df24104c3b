"""What the services have agreed on: protos and their stubs, the error catalogue, the conventions of the wire.

Imports nothing of ours, so that everybody may import it.
"""
