"""Running generated code: a program in, an outcome out, nothing of the machine touched."""
