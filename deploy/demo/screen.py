"""Shows the demonstration: with colours and things that move on a terminal, as plain lines elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console, RenderableType
from rich.live import Live
from rich.padding import Padding

from chaos.load import LoadReport
from chaos.load.table import progress_line, summary_table

_PLAIN_EVERY_S: Final = 3.0
_WIDEST: Final = 140  # bars much longer say nothing more


class Screen:
    """Where the story is told. `steps` is how many there will be."""

    def __init__(self, console: Console, steps: int) -> None:
        self.console = console
        self._steps = steps
        self._step = 0

    @property
    def width(self) -> int:
        """Columns for what is shown below a step."""
        return min(_WIDEST, self.console.width) - 4

    def step(self, title: str) -> None:
        """Begin the next step."""
        self._step += 1
        self.console.print(f"\n[bold cyan]{self._step}/{self._steps}[/] [bold]{title}[/]", highlight=False)

    def line(self, text: str, style: str = "") -> None:
        """One line below the step; never wrapped, so that an address stays whole."""
        self.console.print(f"    {text}", style=style, highlight=False, markup=False, soft_wrap=True)

    def blank(self) -> None:
        self.console.print()

    def show(self, renderable: RenderableType) -> None:
        """Something of its own shape, such as a table."""
        self.console.print(_below(renderable))

    @contextmanager
    def waiting(self, what: str) -> Iterator[Callable[[str], None]]:
        """Something that takes its time; gives what is to be called with its progress, shown on a terminal only."""
        began = time.monotonic()
        if self.console.is_terminal:
            with self.console.status(f"{what} ...") as status:
                yield lambda progress: status.update(f"{what}: {progress}")
        else:
            self.line(f"{what} ...")
            yield lambda _: None
        self.line(f"ready after {time.monotonic() - began:.1f} s", "green")

    @contextmanager
    def traffic(self) -> Iterator[Callable[[LoadReport], None]]:
        """Gives what is to be called with each report; the table stays where it is and changes."""
        if self.console.is_terminal:
            with Live(console=self.console, transient=True, auto_refresh=False) as live:
                yield lambda report: live.update(_below(summary_table(report)), refresh=True)
        else:
            yield _Seldom(_PLAIN_EVERY_S, lambda report: self.line(progress_line(report)))


class _Seldom:
    """Hands on a report, then none for some time."""

    def __init__(self, every_s: float, show: Callable[[LoadReport], None]) -> None:
        self._every_s = every_s
        self._show = show
        self._next_s = every_s

    def __call__(self, report: LoadReport) -> None:
        if report.elapsed_s >= self._next_s:
            self._next_s = report.elapsed_s + self._every_s
            self._show(report)


def _below(renderable: RenderableType) -> Padding:
    return Padding(renderable, (0, 0, 0, 2))
