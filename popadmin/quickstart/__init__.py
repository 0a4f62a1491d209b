"""From a bare machine to a mail server: the steps of `popadmin quickstart`. Each step only does what is missing."""
