"""The page's colours: enough contrast, and told apart by those who see colours otherwise.

Contrast is that of the Web Content Accessibility Guidelines 2.2. Colour vision deficiencies are
simulated with the matrices of Machado, Oliveira and Fernandes (2009) at full severity, and colours
compared by their distance in CIELAB (D65).
"""

import math
import re
from itertools import combinations, pairwise

import pytest

from dashboard.render import HOME

STYLE = (HOME / "templates" / "page.css").read_text(encoding="utf-8")

MACHADO = {
    "normal": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}

# those that stand side by side in one chart and are told apart by nothing but colour
TOGETHER = (
    ("--series-1", "--series-2", "--series-3"),
    ("--level", "--gain", "--loss"),
    ("--level", "--series-2"),
)

LUMINANCE = (0.2126, 0.7152, 0.0722)

Colour = tuple[float, float, float]


def palette(scheme: str) -> dict[str, str]:
    blocks = {
        "light": STYLE[: STYLE.index("@media")],
        "dark": STYLE[STYLE.index(':root[data-theme="dark"]') :].split("}")[0],
        "system dark": STYLE[STYLE.index("@media") :].split("}")[0],
    }
    return dict(re.findall(r"(--[\w-]+): (#[0-9a-f]{6})", blocks[scheme]))


def linear(colour: str) -> Colour:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels
    )
    return red, green, blue


def contrast(one: str, other: str) -> float:
    luminance = sorted(
        sum(
            part * weight
            for part, weight in zip(linear(each), (0.2126, 0.7152, 0.0722), strict=True)
        )
        for each in (one, other)
    )
    return (luminance[1] + 0.05) / (luminance[0] + 0.05)


def seen(colour: str, vision: str) -> Colour:
    red, green, blue = (
        min(1.0, max(0.0, sum(a * b for a, b in zip(row, linear(colour), strict=True))))
        for row in MACHADO[vision]
    )
    return red, green, blue


def lab(colour: Colour) -> Colour:
    red, green, blue = colour
    x = (0.4124564 * red + 0.3575761 * green + 0.1804375 * blue) / 0.95047
    y = 0.2126729 * red + 0.7151522 * green + 0.0721750 * blue
    z = (0.0193339 * red + 0.1191920 * green + 0.9503041 * blue) / 1.08883
    x, y, z = (
        each ** (1 / 3) if each > (6 / 29) ** 3 else each / (3 * (6 / 29) ** 2) + 4 / 29
        for each in (x, y, z)
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def distance(one: str, other: str, vision: str) -> float:
    pair = [lab(seen(each, vision)) for each in (one, other)]
    return math.dist(*pair)


def test_black_and_white_are_as_far_apart_as_the_guidelines_say() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert distance("#000000", "#ffffff", "normal") == pytest.approx(100, abs=0.01)
    # red and green that a deuteranope confuses
    assert (
        distance("#a05000", "#607000", "deuteranopia")
        < 12
        < distance("#a05000", "#607000", "normal")
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_marks_stand_out(scheme: str) -> None:
    colours = palette(scheme)
    for ground in ("--card", "--page"):
        for text in ("--ink", "--soft", "--link", "--good", "--bad"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    assert contrast(colours["--notice-ink"], colours["--notice"]) >= 4.5
    assert contrast(colours["--soft"], colours["--quiet"]) >= 4.5
    for name, colour in colours.items():
        if name.startswith("--series") or name in {"--level", "--gain", "--loss"}:
            assert contrast(colour, colours["--card"]) >= 3, name


@pytest.mark.parametrize("vision", MACHADO)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_of_one_chart_are_told_apart(scheme: str, vision: str) -> None:
    colours = palette(scheme)
    for group in TOGETHER:
        for one, other in combinations(group, 2):
            assert distance(colours[one], colours[other], vision) > 15, (one, other)


@pytest.mark.parametrize("vision", MACHADO)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_heatmap_grows_darker_or_lighter_all_the_way(scheme: str, vision: str) -> None:
    colours = palette(scheme)
    lightness = [lab(seen(colours[f"--ramp-{at}"], vision))[0] for at in range(1, 6)]
    assert lightness in (sorted(lightness), sorted(lightness, reverse=True))
    assert all(abs(a - b) > 8 for a, b in pairwise(lightness))


def test_the_system_and_the_button_make_the_same_dark() -> None:
    assert palette("dark") == palette("system dark")
