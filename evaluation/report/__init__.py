"""Reports of record files: one HTML page that needs nothing else, and Markdown.

Lives here: parts of a report, its sections, and the two ways to write them.
May import: `plots`, `scoring`, `records`, `normalize`, `show`.
Public: `write_report`, `worst_page`, `differing_page`.
"""
