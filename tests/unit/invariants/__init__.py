"""The checker's rules without a database: what they say of healthy and of damaged evidence, and their contract."""
