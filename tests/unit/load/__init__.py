"""The load generator, the demonstration and the frame of the benchmarks, each without the system it is made for."""
