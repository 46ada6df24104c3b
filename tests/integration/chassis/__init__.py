"""The chassis with real sockets and real processes, in tiny services made for the tests."""
