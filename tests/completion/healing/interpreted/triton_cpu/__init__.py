"""A Triton backend called ``cpu`` that compiles nothing: with TRITON_INTERPRET=1 nothing has to be."""
