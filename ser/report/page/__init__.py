"""The page of a report: blocks, HTML and Markdown, the folder."""
