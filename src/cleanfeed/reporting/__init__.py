"""The one look of all HTML reports: style, script, and the parts that they share."""
