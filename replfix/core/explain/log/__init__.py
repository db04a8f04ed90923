"""The lines of logs: who wrote one, when, and which lines are one error."""
