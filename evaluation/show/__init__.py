"""Numbers and tables as people read them: on a terminal, in Markdown, in a notebook.

Lives here: rounding and rendering, the tables of the package, notebook HTML, JSON files.
May import: `gigastt_lab`.
Public: `display.render_text`, `tables`, `notebook.shown`.
"""
