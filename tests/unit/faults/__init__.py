"""Tests of faults as data."""
