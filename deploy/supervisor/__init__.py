"""The supervisor: starts the processes of a topology, restarts what dies, and leaves none of them behind.

It is driven over its control API (`control_api`, `client`), holds everything it writes in one state folder (`state`),
and hands each child the read end of a pipe whose other end only it holds: when it dies, however, they all know.
"""
