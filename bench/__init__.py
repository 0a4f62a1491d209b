"""`make bench`: measures what a poll, a fetch or a delivery costs in popadmin and in Dovecot. It asserts nothing."""
