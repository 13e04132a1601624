"""Second places for signed checkpoints: memory, a file that only grows. On a database: `adapters.store.anchor`."""
