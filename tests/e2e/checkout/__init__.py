"""A checkout cannot be broken: whatever is killed, lost, late or done twice, money, goods and answers agree in the end."""
