"""The pages: what a form asks, what a list tells, what is drawn."""
