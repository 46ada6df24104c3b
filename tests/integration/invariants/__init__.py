"""The checker on real databases that the services' own schemas made, with each kind of damage planted in them."""
