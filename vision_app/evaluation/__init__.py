"""How good a model is: metrics, the evaluation report, and honest comparison."""
