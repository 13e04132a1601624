"""Ticket desks: where people are told of trouble."""
