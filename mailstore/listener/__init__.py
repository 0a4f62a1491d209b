"""Accepts connections, carries octets, keeps time; the only loop, and it knows no protocol."""
