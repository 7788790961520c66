"""Charts as SVG, readable on a light and on a dark ground."""

import html
import math

WIDTH, HEIGHT = 760, 300
LEFT, RIGHT, TOP, BOTTOM = 78, 20, 40, 48
STYLE = """text { font: 13px sans-serif; fill: #222 } .small { font-size: 12px; fill: #555 } .title { font-weight: bold }
.ground { fill: #fff } .grid { stroke: #ddd } .axis { stroke: #555 } .line { fill: none; stroke-width: 2 }
.dashed { stroke-dasharray: 5 4; stroke-width: 1.5 } .s0 { stroke: #888 } .s1 { stroke: #0b67c2 } .s2 { stroke: #c2410c }
.d1 { fill: #0b67c2 } .d2 { fill: #c2410c }
@media (prefers-color-scheme: dark) { text { fill: #eee } .small { fill: #bbb } .ground { fill: #16181d }
.grid { stroke: #3a3d44 } .axis { stroke: #aaa } .s1 { stroke: #6cb6ff } .d1 { fill: #6cb6ff } .s2 { stroke: #ff9d66 }
.d2 { fill: #ff9d66 } }"""


def label(value):
    for size, unit in ((1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def steps(largest, wanted=6):
    """Round numbers from 0 to past the largest."""
    size = 10 ** math.floor(math.log10(largest / wanted))
    step = next(size * by for by in (1, 2, 5, 10) if largest / (size * by) <= wanted)
    return [i * step for i in range(math.ceil(largest / step) + 1)]


def powers(values):
    lowest, highest = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return [10.0 ** power for power in range(lowest, highest + 1)]


class Chart:
    """Lines over one axis that counts from 0. `log`: the axis of their values goes by powers of ten."""

    def __init__(self, title, below, xs, log=False):
        self.title, self.below, self.log = title, below, log
        self.xs = steps(max(xs))
        self.lines = []

    def line(self, name, points, dashed=False):
        self.lines.append((name, points, dashed))

    def drawn(self, top):
        values = [y for _, points, _ in self.lines for _, y in points]
        ys = powers(values) if self.log else steps(max(values))
        out = [f'<g transform="translate(0 {top})">', f'<text class="title" x="{LEFT}" y="18">{html.escape(self.title)}</text>']
        for y in ys:
            at = self.y(y, ys)
            out.append(f'<path class="grid" d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}"/>'
                       f'<text class="small" text-anchor="end" x="{LEFT - 8}" y="{at + 4:.1f}">{label(y)}</text>')
        for x in self.xs:
            out.append(f'<path class="axis" d="M{self.x(x):.1f} {HEIGHT - BOTTOM}v5"/>'
                       f'<text class="small" text-anchor="middle" x="{self.x(x):.1f}" y="{HEIGHT - BOTTOM + 20}">{label(x)}</text>')
        out.append(f'<path class="axis line" d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}"/>')
        out.append(f'<text class="small" text-anchor="end" x="{WIDTH - RIGHT}" y="{HEIGHT - 8}">{html.escape(self.below)}</text>')
        out += [part for number, line in enumerate(self.lines) for part in self.drawn_line(self.color(number), line, ys)]
        out += self.legend()
        return "\n".join([*out, "</g>"])

    def color(self, number):
        """Grey for what is dashed, a reference; then one after the other."""
        return 0 if self.lines[number][2] else 1 + sum(not dashed for _, _, dashed in self.lines[:number])

    def drawn_line(self, color, line, ys):
        _, points, dashed = line
        path = "L".join(f"{self.x(x):.1f} {self.y(y, ys):.1f}" for x, y in points)
        yield f'<path class="line s{color}{" dashed" if dashed else ""}" d="M{path}"/>'
        if not dashed:
            yield from (f'<circle class="d{color}" r="3" cx="{self.x(x):.1f}" cy="{self.y(y, ys):.1f}"/>' for x, y in points)

    def legend(self):
        at = WIDTH - RIGHT
        for number, (name, _, dashed) in reversed(list(enumerate(self.lines))):
            at -= 7 * len(name) + 44
            yield (f'<path class="line s{self.color(number)}{" dashed" if dashed else ""}" d="M{at} 14h24"/>'
                   f'<text x="{at + 30}" y="18">{html.escape(name)}</text>')

    def x(self, value):
        return LEFT + value / self.xs[-1] * (WIDTH - LEFT - RIGHT)

    def y(self, value, ys):
        share = (math.log(value / ys[0]) / math.log(ys[-1] / ys[0])) if self.log else value / ys[-1]
        return HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)


def page(title, below, charts):
    height = 40 + len(charts) * HEIGHT + 24
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
                      f"<title>{html.escape(title)}</title>", f"<style>{STYLE}</style>",
                      f'<rect class="ground" width="{WIDTH}" height="{height}"/>',
                      f'<text class="title" x="{LEFT}" y="24">{html.escape(title)}</text>',
                      *(chart.drawn(40 + i * HEIGHT) for i, chart in enumerate(charts)),
                      f'<text class="small" x="{LEFT}" y="{height - 12}">{html.escape(below)}</text>', "</svg>", ""])
