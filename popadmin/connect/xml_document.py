"""Small XML documents made of values: elements without mixed content, as octets."""

from __future__ import annotations

from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement


def add(parent: Element, name: str, text: str | None = None, **attributes: str) -> Element:
    """Append an element, and return it."""
    element = SubElement(parent, name, attributes)
    element.text = text
    return element


def add_all(parent: Element, texts: dict[str, str]) -> None:
    """Append one element per entry, in its order."""
    for name, text in texts.items():
        add(parent, name, text)


def octets(root: Element) -> bytes:
    """Return the document in UTF-8 without a byte order mark, with a declaration."""
    ElementTree.indent(root)
    data: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return data + b"\n"
