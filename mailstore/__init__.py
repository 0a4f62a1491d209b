"""The mail: rows, bodies, POP3, LMTP, retention. See DESIGN.md beside this file."""
