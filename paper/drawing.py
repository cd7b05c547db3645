"""Small pictures made of a few shapes, drawn alike on a page of the web (SVG) and on paper (PDF).

Owns the shapes and their two renderings. Refuses to know what a picture means. The canvas is 100 × 100 units, y down.
Three tones only: whatever a black and white printer cannot show is not used to say anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal
from xml.sax.saxutils import quoteattr

from fpdf import FPDF

CANVAS: Final = 100.0
"""Side of the square every picture is described in."""

_LINE: Final = 5.0
"""Usual thickness of a line: 0.5 mm when the picture is printed 10 mm high."""


class Tone(Enum):
    """How dark a shape is: (grey level on paper 0..255, colour in SVG)."""

    INK = (0, "currentColor")
    SHADE = (170, "#aaaaaa")
    BLANK = (255, "#ffffff")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rect:
    """A rectangle, its corners rounded by `radius`."""

    x: float
    y: float
    width: float
    height: float
    radius: float = 0
    fill: Tone | None = None
    line: Tone | None = Tone.INK
    thickness: float = _LINE


@dataclass(frozen=True, slots=True, kw_only=True)
class Circle:
    """A circle around (x, y)."""

    x: float
    y: float
    radius: float
    fill: Tone | None = None
    line: Tone | None = Tone.INK
    thickness: float = _LINE


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """Straight lines from point to point, with round ends; `closed` joins the last to the first."""

    points: tuple[tuple[float, float], ...]
    closed: bool = False
    fill: Tone | None = None
    line: Tone | None = Tone.INK
    thickness: float = _LINE


Shape = Rect | Circle | Path
Picture = tuple[Shape, ...]


def svg(picture: Picture, *, title: str = "", css_class: str = "picture") -> str:
    """The picture as an inline `<svg>`. Without a title it is decoration, hidden from screen readers."""
    role = f'role="img" aria-label={quoteattr(title)}' if title else 'aria-hidden="true"'
    body = "".join(_svg_shape(shape) for shape in picture)
    side = f"{CANVAS:g}"
    return f'<svg class={quoteattr(css_class)} viewBox="0 0 {side} {side}" {role} focusable="false">{body}</svg>'


def draw(pdf: FPDF, picture: Picture, *, x: float, y: float, side: float) -> None:
    """The picture on the current page, its top left corner at (x, y), `side` millimetres wide and high."""
    unit = side / CANVAS
    for shape in picture:
        with pdf.local_context(
            draw_color=_grey(shape.line),
            fill_color=_grey(shape.fill),
            line_width=shape.thickness * unit,
            stroke_cap_style="round",
            stroke_join_style="round",
        ):
            _pdf_shape(pdf, shape, x=x, y=y, unit=unit)


def _svg_shape(shape: Shape) -> str:
    paint = _svg_paint(shape)
    match shape:
        case Rect(x=x, y=y, width=width, height=height, radius=radius):
            return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{radius:g}" {paint}/>'
        case Circle(x=x, y=y, radius=radius):
            return f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" {paint}/>'
        case Path(points=points, closed=closed):
            name = "polygon" if closed else "polyline"
            places = " ".join(f"{x:g},{y:g}" for x, y in points)
            return f'<{name} points="{places}" {paint}/>'


def _svg_paint(shape: Shape) -> str:
    fill = shape.fill.value[1] if shape.fill else "none"
    if shape.line is None:
        return f'fill="{fill}"'
    stroke = f'stroke="{shape.line.value[1]}" stroke-width="{shape.thickness:g}"'
    return f'fill="{fill}" {stroke} stroke-linecap="round" stroke-linejoin="round"'


def _grey(tone: Tone | None) -> tuple[int, int, int]:
    level = (tone or Tone.INK).value[0]
    return (level, level, level)


def _pdf_shape(pdf: FPDF, shape: Shape, *, x: float, y: float, unit: float) -> None:
    style = _pdf_style(shape)
    match shape:
        case Rect():
            pdf.rect(
                x + shape.x * unit,
                y + shape.y * unit,
                shape.width * unit,
                shape.height * unit,
                style=style,
                round_corners=shape.radius > 0,
                corner_radius=shape.radius * unit,
            )
        case Circle():
            pdf.circle(x + shape.x * unit, y + shape.y * unit, shape.radius * unit, style=style)
        case Path():
            places = [(x + across * unit, y + down * unit) for across, down in shape.points]
            pdf.polyline(places, polygon=shape.closed, style=style)


def _pdf_style(shape: Shape) -> Literal["D", "F", "DF"]:
    if shape.fill and shape.line:
        return "DF"
    return "F" if shape.fill else "D"
