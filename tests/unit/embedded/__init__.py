"""The embedded trace backend: its parts alone, and the whole as a real process on real sockets."""
