"""Measure line cleaning: labelled lines in, figures with intervals out.

The rooms, in the order in which a measurement passes them:

* `records`: read and check labelled documents.
* `systems`, `peers/`: cleanfeed and the other tools, each as one function of a document's lines.
* `compare`: run the systems over the documents, a failing one included.
* `metrics`, `bootstrap`: figures as pure functions of counts, and their intervals over documents.
* `pages`: the HTML route, scored as the public article-extraction benchmark scores it.
* `report`, `figures`: tables and pictures. `floors`: figures that may not fall. `command`: `cleanfeed bench`.

To add a tool to the comparison, add one small file to `peers/`; to add a set, name its files to `cleanfeed bench`.
"""
