"""The report of a run: one HTML file that needs nothing else, made of the record alone.

`panels` says what is drawn, `drawing` draws it as SVG, `waterfalls` places the spans of example traces, `page` puts it
together with the templates.
"""
