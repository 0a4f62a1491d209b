"""Accepts connections, carries octets and keeps time. It runs the only event loop, and knows no protocol."""
