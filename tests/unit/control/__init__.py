"""What a running system is, as read from its state folder."""
