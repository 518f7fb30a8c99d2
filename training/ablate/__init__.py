"""The ablation: the same training with each objective switched off in turn, measured and compared.

Lives here: which runs there are, running and measuring them so that a kill costs little, and the
table and plot of what they say. Training itself is ``training.run.session``'s, the figures of
completions are the harness's, called as a program: nothing of its insides is imported.
"""
