"""Hurting and healing a running system from outside, by addresses."""
