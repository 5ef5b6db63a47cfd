"""Deploy the stack to AWS without a question (`make deploy`); never imported by the product."""
