"""What agents may do by themselves: earned by recorded outcomes, signed by people, lost at once."""
