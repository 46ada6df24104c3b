"""What experiments are judged, measured and told by, without a system."""
