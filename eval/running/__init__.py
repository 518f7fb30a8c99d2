"""One run of a suite: selection, answers, programs, judging, and the journal it resumes from."""
