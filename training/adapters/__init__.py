"""Light adapters on a frozen model of any family: LoRA beside Caret's objectives.

Lives here: loading a base, laying examples out in its family's way, training adapters in the same
loop, and merging them at the end. What is not here: the loop, the objectives, the families' table.
"""
