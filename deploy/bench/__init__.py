"""`make bench`: figures with goals, measured on the machine it runs on. Never part of the tests.

Each figure is a small file in `figures/`, entered in the table of `catalogue`; `paired` holds how two things are compared.
Goals are ratios where that is possible, both sides measured in the same run; absolute figures are an orientation.
"""
