"""The supervisor with real, tiny processes: restarted when they die, and never left behind."""
