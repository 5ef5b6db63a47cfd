"""Wildcards of policies, against keys of objects with a line break."""

from ministack.core import iam_evaluator

from local.fixes.policy_wildcards import _over_lines


def test_a_wildcard_matches_a_line_break() -> None:
    matches = _over_lines(iam_evaluator._fnmatch_compile)
    assert matches("arn:aws:s3:::data/*", False).match("arn:aws:s3:::data/group/training/a\nb.csv")
    assert not matches("arn:aws:s3:::data/*", False).match("arn:aws:s3:::other/a\nb.csv")
    assert matches("s3:get*", True).match("s3:GetObject")
