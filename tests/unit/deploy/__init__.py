"""The parts of the supervisor and the command that need no process."""
