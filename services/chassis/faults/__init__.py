"""Faults as data: a process's own failures, set over its control listener and gone when their time is over.

`kinds` says what there is and where; a `Fault` is one; the `store` holds those in force; `decision` says whom they touch;
`waits`, `http`, `rpc`, `storage` and `processes` do it; `evidence` tells of it; `api` is the way in. Business code knows
of none of this: a composition root makes one `FaultSite` and hands its parts to the servers and the database.
"""
