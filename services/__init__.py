"""The services of the shop, the chassis they share and the contracts between them."""
