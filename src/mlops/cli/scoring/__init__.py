"""Commands about predictions: made now, in the ledger, and how good they were."""
