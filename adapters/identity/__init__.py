"""Who is asking: local accounts with secrets of our own making, keys of feeds, and an OpenID Connect provider."""
