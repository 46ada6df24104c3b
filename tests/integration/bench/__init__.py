"""Tests of the benchmarks themselves, with real processes."""
