"""The policy book as it is kept: loaded, noticed, put in force, explained, and compared with others."""
