"""One small module a tool; `cleanfeed.evaluation.systems` says what it holds."""
