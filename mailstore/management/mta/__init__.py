"""The verbs of the command `mta`, one module a verb. Each has a function `verb` that the table of the command calls."""
