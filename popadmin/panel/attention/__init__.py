"""What needs attention: one function for each kind of fault, and the list of them, worst first."""
