"""The custom widgets of the dashboard: what a person on call looks at, as fragments of HTML."""
