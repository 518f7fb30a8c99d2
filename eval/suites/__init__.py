"""What is evaluated on: so far the packages that training never sees, in ``held_out.toml``."""
