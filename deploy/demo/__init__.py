"""`make demo`: the system, one checkout as one trace, real traffic, and proof that all of it happened.

`story` is what happens, in order; `screen` shows it on a terminal or as plain lines; `checks` decides whether it really
happened; `__main__` is the process around it, which leaves nothing behind.
"""
