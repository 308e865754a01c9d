"""Training in a folder that a stopped run can be resumed from.

run.py trains one network; folds.py several, one for each held-out part; the other files do one thing each
for them: schedules, optimizers, the step, what the history decides, the saved state, the files.
"""
