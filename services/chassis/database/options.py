"""What a service may take of its database."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DatabaseOptions:
    """Bounds of the pool of connections and of what is done over one. Times in seconds, above zero.

    Each is shorter than an attempt at the database may take, so that it is the database that says why.
    `pool_size` connections are kept open, `pool_overflow` more may be opened while those are in use, and who finds none
    free waits for `pool_timeout`. `lock_timeout` is how long a statement waits for another transaction, and is not waited for
    twice; it leaves time to say so to a service's caller, whose attempts take no more than a second.
    `statement_timeout` (PostgreSQL) is how long a statement may take altogether.
    """

    pool_size: int = 10
    pool_overflow: int = 5
    pool_timeout: float = 1.0
    lock_timeout: float = 0.7
    statement_timeout: float = 1.5

    @property
    def pool_max(self) -> int:
        """How many connections there can be."""
        return self.pool_size + self.pool_overflow
