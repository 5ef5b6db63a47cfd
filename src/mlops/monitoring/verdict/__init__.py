"""From statistics to a verdict: one feature, then the whole batch."""
