"""A parser for the page of a report."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """Check that tags are closed in order; collect tags, tables, ids, links, images, loaded files, scripts and text."""

    EMPTY = ("meta", "link", "img", "br", "hr")

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.loaded, self.images, self.ids, self.links = [], [], [], [], []
        self.tables, self.name, self.cell = {}, None, None
        self.scripts, self.policy, self.tags, self.handlers, self.text = {}, None, set(), [], ""
        self.feed(text)
        self.close()
        assert self.open == [], "every tag is closed"

    def handle_starttag(self, tag, attributes):
        assert len(attributes) == len({name for name, _ in attributes}), tag
        attributes = dict(attributes)
        self.tags.add(tag)
        self.handlers += [name for name in attributes if name.startswith("on")]
        if tag not in self.EMPTY:
            self.open.append(tag)
        if "id" in attributes:
            self.ids.append(attributes["id"])
        self.loaded += [attributes[name] for name in ("src", "href", "srcset", "action", "data") if name in attributes]
        if tag == "a":
            self.links.append(attributes["href"])
        if tag == "script":
            self.scripts[attributes.get("id", "")] = ""
        if attributes.get("http-equiv") == "Content-Security-Policy":
            self.policy = attributes["content"]
        if tag == "img":
            self.images.append(attributes)
        if tag == "table":
            self.name = attributes["aria-labelledby"].removeprefix("title-")
            self.tables[self.name] = []
        if tag == "tr":
            self.tables[self.name].append([])
        if tag in ("td", "th"):
            self.cell = ""

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        if tag in ("td", "th"):
            self.tables[self.name][-1].append(self.cell.strip())
            self.cell = None

    def handle_data(self, data):
        if self.cell is not None:
            self.cell += data
        if self.open[-1:] == ["script"]:
            self.scripts[[*self.scripts][-1]] += data
        elif self.open[-1:] != ["style"]:
            self.text += data
