"""Adapters to AWS, one file per service; the only modules that import boto3."""
