"""Hands on what agents may do by themselves."""
