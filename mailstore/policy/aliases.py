"""The limits of an alias, for the code that makes aliases and for the code that follows them."""

TARGETS_AT_MOST = 1000  # Postfix's virtual_alias_expansion_limit: above it mail is deferred for ever
LEVELS_AT_MOST = 5  # aliases of aliases; each level is one more query for each delivery
