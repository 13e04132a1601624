"""Who is asking: local accounts with secrets of our own making."""
