"""How the system runs: the topology as data, the supervisor with its control API, and the `faultline` command."""
