"""The whole system's checkout: systems that are observed or not, who checks out, and what that costs them."""
