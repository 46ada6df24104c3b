"""What is generated for the real backends, held against their own tools."""
