"""The rooms of the sweep, one a step; `mailstore.store.sweep` walks through them in order."""
