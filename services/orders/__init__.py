"""The orders service: the checkout, over REST."""
