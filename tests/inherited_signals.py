"""Signals that whoever started the tests has ignored."""

import signal


def keep_from_others() -> None:
    """Under `nohup` a hangup is ignored, in a script's background Ctrl-C too, which all that a test starts would inherit.

    It would end by neither any more. A handler is not inherited, and we ourselves go on all the same.
    """
    for number in (signal.SIGHUP, signal.SIGINT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
