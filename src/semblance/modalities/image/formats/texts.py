"""Texts that a PNG, a JPEG or a TIFF holds beside its pixels, by their fields: any of them may name a patient.

They are neither learned nor written. A field is told by its name, and never by its value; how a PNG calls a text is
free and might be a value itself, so that only names of a standard are told. What names a program or a make is not among
them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from semblance.modalities.image.formats import identifying

MARK = "synthetic: made by semblance, of no patient"
"""What is written into images that are made."""
OTHERS, PRIVATE = "texts of other names", "private elements"
"""What a file may hold under names that no standard has."""
_KEYWORDS = frozenset(
    ("Title", "Author", "Description", "Copyright", "Creation Time", "Disclaimer", "Warning", "Source", "Comment")
)
"""Of texts in a PNG (Portable Network Graphics Specification, 11.3.3.2)."""
_ALIASES = {
    "XML:com.adobe.xmp": "XMP",
    **dict.fromkeys(("Raw profile type exif", "Raw profile type APP1"), "EXIF"),
    "Raw profile type xmp": "XMP",
    "Raw profile type iptc": "IPTC",
}
"""What whole records of other standards are called in a PNG."""
_TAGS = {
    **{269: "DocumentName", 270: "ImageDescription", 285: "PageName", 306: "DateTime", 315: "Artist"},
    **{316: "HostComputer", 700: "XMP", 33432: "Copyright", 33723: "IPTC", 34377: "ImageResources"},
    **{34665: "EXIF", 34853: "GPS", 37510: "UserComment"},
    **{40091: "XPTitle", 40092: "XPComment", 40093: "XPAuthor", 40094: "XPKeywords", 40095: "XPSubject"},
}
"""Of TIFF 6.0, its supplements, EXIF and Windows."""
_FREE, _COLOURS = 32768, 34675
"""Where the tags of TIFF begin that anybody may own, and that of a colour profile."""

_SEGMENTS = {b"Exif\0": "EXIF", b"http://ns.adobe.com/x": "XMP", b"Photoshop 3.0\0": "IPTC"}
"""How the application segments of a JPEG begin."""
_NO_TEXT = (b"JFIF\0", b"JFXX\0", b"Adobe", b"ICC_PROFILE\0")


def of_png(texts: Mapping[str, str], *, exif: bool, private: bool) -> Iterator[str]:
    """The fields of a PNG that are filled, of its `texts` by keyword, and whether it has EXIF and private chunks."""
    for keyword, text in texts.items():
        if keyword != "Software" and _is_filled(text):
            yield _told(keyword)
    yield from ("EXIF",) if exif else ()
    yield from (PRIVATE,) if private else ()


def _told(keyword: str) -> str:
    """A keyword by which a text may be told."""
    known = keyword in _KEYWORDS or keyword.replace(" ", "") in identifying.PROFILE | identifying.OTHERS
    return keyword if known else _ALIASES.get(keyword, OTHERS)


def of_tiff(tags: Mapping[int, Any]) -> Iterator[str]:
    """The same of a page of a TIFF, of its tags by number."""
    for tag, value in tags.items():
        private = tag >= _FREE and tag != _COLOURS and isinstance(value, str | bytes)
        if (tag in _TAGS or private) and _is_filled(value):
            yield _TAGS.get(tag, PRIVATE)


def of_jpeg(segments: Iterable[tuple[str, bytes]]) -> Iterator[str]:
    """The same of a JPEG, of its comments and application segments by their marker."""
    for marker, held in segments:
        if marker == "COM":
            yield from ("Comment",) if _is_filled(held) else ()
        elif not held.startswith(_NO_TEXT):
            yield next((name for start, name in _SEGMENTS.items() if held.startswith(start)), PRIVATE)


def _is_filled(value: Any) -> bool:
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    return text.strip(" \0") not in ("", MARK)
