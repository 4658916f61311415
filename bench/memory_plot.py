"""Plots memory over a scan as SVG. Pure."""

from collections.abc import Callable, Sequence

from bench.memory import PssParts

_WIDTH, _HEIGHT = 760, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 190, 40, 44
_LINES: Sequence[tuple[str, str, Callable[[PssParts], float]]] = (
    ("our processes", "#1f6feb", lambda parts: parts.services_mb),
    ("PostgreSQL, its own", "#2da44e", lambda parts: parts.database_mb),
    ("PostgreSQL, shared buffers", "#9a6700", lambda parts: parts.database_shared_mb),
)
_GRID_MB = 50
_MOST_TICKS = 8


def draw(files: int, samples: Sequence[tuple[float, PssParts]]) -> str:
    """The plot of a first scan of so many files: MB over seconds, a line for each part."""
    longest_s = max(samples[-1][0], 1.0)
    most_mb = max(of(parts) for _, parts in samples for _, _, of in _LINES)
    most_mb = (int(most_mb / _GRID_MB) + 1) * _GRID_MB

    def at(seconds: float, mb: float) -> tuple[float, float]:
        x = _LEFT + seconds / longest_s * (_WIDTH - _LEFT - _RIGHT)
        y = _HEIGHT - _BOTTOM - mb / most_mb * (_HEIGHT - _TOP - _BOTTOM)
        return round(x, 1), round(y, 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
        ' font-family="sans-serif" font-size="12" fill="#57606a">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<text x="{_LEFT}" y="22" font-size="14" fill="#24292f">Memory (PSS, MB) over the first'
        f" scan of {files:,} files</text>",
    ]
    step_mb = _GRID_MB * (1 + most_mb // (_GRID_MB * _MOST_TICKS))
    for mb in range(0, most_mb + 1, step_mb):
        (x, y), (end, _) = at(0, mb), at(longest_s, mb)
        parts.append(f'<line x1="{x}" y1="{y}" x2="{end}" y2="{y}" stroke="#d0d7de"/>')
        parts.append(f'<text x="{x - 8}" y="{y + 4}" text-anchor="end">{mb}</text>')
    for quarter in range(5):
        x, y = at(longest_s * quarter / 4, 0)
        label = f"{longest_s * quarter / 4:,.0f} s"
        parts.append(f'<text x="{x}" y="{y + 18}" text-anchor="middle">{label}</text>')
    parts += _lines(samples, at)
    return "\n".join([*parts, "</svg>", ""])


def _lines(
    samples: Sequence[tuple[float, PssParts]], at: Callable[[float, float], tuple[float, float]]
) -> list[str]:
    drawn = []
    for number, (name, colour, of) in enumerate(_LINES):
        points = " ".join(
            f"{x},{y}" for x, y in (at(second, of(parts)) for second, parts in samples)
        )
        drawn.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
        )
        x, y = _WIDTH - _RIGHT + 12, _TOP + 14 + number * 20
        drawn.append(f'<text x="{x}" y="{y}" fill="{colour}">{name}</text>')
    return drawn
