"""Each kind of damage that the checker must find, as the statements that do it to the example run."""

from collections.abc import Mapping
from typing import Final

from tests.integration.invariants.damages.damage import Damage
from tests.integration.invariants.damages.goods import GOODS
from tests.integration.invariants.damages.money import MONEY
from tests.integration.invariants.damages.orders import ORDERS

DAMAGES: Final[Mapping[str, Damage]] = {**ORDERS, **MONEY, **GOODS}
"""What is done → the damage."""
