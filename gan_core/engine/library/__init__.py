"""What can be known before, beside and after a run: cards, data sets, descriptions, forecasts, history, lessons."""
