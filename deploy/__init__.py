"""What brings popadmin onto machines: units, and the Debian package with its manual pages. Nothing here serves mail."""
