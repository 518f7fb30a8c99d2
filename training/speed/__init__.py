"""How fast training is, beside what the device could do and beside another trainer."""
