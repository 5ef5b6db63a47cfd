"""Files of labels: outcomes that became known after the prediction."""
