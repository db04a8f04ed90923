"""Where a trail can live: one module a kind of database, each a :class:`replfix.audit.stores.store.Store`."""
