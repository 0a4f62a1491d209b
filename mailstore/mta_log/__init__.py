"""The log of an MTA on the same machine: what it rejected, still holds, or returned, so that it never came here."""
