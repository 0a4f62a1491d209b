"""`make bench`: what a poll, a fetch or a delivery costs here and in Dovecot; it measures, and asserts nothing."""
