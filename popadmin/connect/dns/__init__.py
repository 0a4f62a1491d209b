"""The DNS records that a domain should have, what DNS says of them, and what the difference means."""
