"""How far an alias may reach; one figure for who makes aliases and who follows them."""

TARGETS_AT_MOST = 1000  # Postfix's virtual_alias_expansion_limit: beyond it mail is deferred for ever
LEVELS_AT_MOST = 5  # aliases of aliases; each level is one more query for each delivery
