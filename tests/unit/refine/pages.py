"""What a browser would load and run for a page, and the text that a person would read."""

from html.parser import HTMLParser

VOID = {"meta", "img", "br", "hr", "link", "input"}


class Page(HTMLParser):
    """A parsed page.

    Attributes:
        tags: every tag with its attributes.
        text: all text outside the style sheet.
        style: the style sheet.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text, self.style = "", ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == [], f"tags that are not closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop() == tag, f"</{tag}> closes another tag"

    def handle_data(self, data: str) -> None:
        if "style" in self._open:
            self.style += data
        else:
            self.text += data

    def with_class(self, name: str) -> int:
        """How many tags have a class."""
        return sum(name in (attributes.get("class") or "").split() for _, attributes in self.tags)

    def check_alone(self) -> None:
        """Asserts that the page loads nothing and runs nothing."""
        policies = [at["content"] for tag, at in self.tags if at.get("http-equiv") == "Content-Security-Policy"]
        assert policies == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]
        assert not {"script", "link", "iframe", "object", "base", "form"} & {tag for tag, _ in self.tags}
        for tag, attributes in self.tags:
            assert not [each for each in attributes if each.startswith("on")], tag
            for name in ("src", "href"):
                value = attributes.get(name)
                inside = ("data:image/png;base64,", "data:image/gif;base64,")
                assert value is None or value.startswith(inside), value
        assert "url(" not in self.style
        assert "@import" not in self.style
