"""What must be true of the source itself: its directions, its locks, its documents."""
