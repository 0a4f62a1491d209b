"""The Debian package: the program with all that it imports below /usr/lib/popadmin, a unit, manual pages."""
