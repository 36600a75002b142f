"""What the tests of HTML reports share: hostile text, what a parser makes of a page, how legible a page is."""

from __future__ import annotations

from html.parser import HTMLParser

HOSTILE = [
    "<script>document.title = 'owned'</script>",
    '"><img src=x onerror="document.title = \'owned\'">',
    "</bdi></del></p></details></style></script><h1>out</h1>",
    "<svg onload=document.title='owned'>",
    "\N{RIGHT-TO-LEFT OVERRIDE}desrever and \x00 nul \x1b[31m red",
    "&lt;b&gt; is not <b>",
]


class Tags(HTMLParser):
    """Collects what a browser would make of a page: tags, handlers, addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note."""
        self.tags.append(tag)
        self.attributes += attrs


def assert_stands_alone(page: str) -> None:
    """One script, ours; no image, frame, handler or address that leads out; documents make no elements."""
    found = Tags()
    found.feed(page)
    assert found.tags.count("script") == 1
    assert found.tags.count("h1") == 1
    assert not {"img", "svg", "iframe", "link", "object", "b onload"} & set(found.tags)
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    assert all((value or "").startswith("#") for name, value in found.attributes if name in ("href", "src"))
    assert "default-src 'none'" in page


def contrasts(selector: str) -> str:
    """A script whose value is the contrast (WCAG) of each element's ink with the grounds that lie under it."""
    return f"""(() => {{
        const canvas = document.createElement("canvas").getContext("2d", {{willReadFrequently: true}});
        const light = colors => {{
            canvas.clearRect(0, 0, 1, 1);
            for (const color of colors) {{ canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); }}
            const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map(v => v / 255)
                .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        }};
        return [...document.querySelectorAll({selector!r})].map(item => {{
            const grounds = [];
            for (let at = item; at; at = at.parentElement) grounds.unshift(getComputedStyle(at).backgroundColor);
            const ground = light(grounds), ink = light([...grounds, getComputedStyle(item).color]);
            return (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
        }});
    }})()"""
