"""What needs several packages: register a training, score a batch, check drift, record a failure."""
