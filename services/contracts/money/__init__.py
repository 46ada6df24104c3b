"""Amounts of money: the value everybody computes with, and its form on the wire."""
