"""autometa: which learner with which hyperparameters will do best on a table, how sure, and why."""
