"""One hop: a FastAPI handler in a process of its own on one core, and who asks it from another."""
