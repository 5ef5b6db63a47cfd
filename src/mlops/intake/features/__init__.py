"""Files of features, and files to which features are joined."""
