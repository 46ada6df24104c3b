"""What is measured while an experiment runs, and what it says: requests, metrics, processes, traces.

`site` says where everything is, `sampler` and `journal` collect, `facts` and the other pure modules tell what was found.
"""
