"""cleanfeed takes the lines that are not the article out of scraped text.

>>> from cleanfeed import clean
>>> clean("One line of an article, and nothing else.")
'One line of an article, and nothing else.'
"""

from cleanfeed.cleaner import Cleaner, clean, explain
from cleanfeed.lines import Line
from cleanfeed.model import LABELS

__all__ = ["LABELS", "Cleaner", "Line", "clean", "explain"]
__version__ = "0.1.0"
