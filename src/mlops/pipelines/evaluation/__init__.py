"""How good a model is: scores, intervals, importance, leakage, comparison with the champion, gate."""
