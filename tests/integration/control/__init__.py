"""Control over real listeners: faults in replicas, processes of a real supervisor."""
