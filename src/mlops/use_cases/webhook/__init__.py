"""The second channel: the subject of each notification, sent to an address outside of the account."""
