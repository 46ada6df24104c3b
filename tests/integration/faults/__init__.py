"""Tests of faults in real servers, databases and processes."""
