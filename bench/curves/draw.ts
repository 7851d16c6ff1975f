import type { Chart, CurveData, Point, Series } from './curve-data.ts';
import { type LogScale, logScale, shortNumber, ticksAround } from './log-scale.ts';

/**
 * The curves as one SVG, charts below each other: a line through the medians, a dot for each, and a stroke from the lowest
 * round to the highest. It brings its own background, so that it reads the same on a light page and on a dark one.
 */
export function drawCurves({ measured, charts }: CurveData): string {
  const height = charts.length * CHART_HEIGHT + FOOT;
  const size = `width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" font-family="system-ui, sans-serif" font-size="12">`,
    `<title>${escapeXml(charts.map(({ title }) => title).join('; '))}</title>`,
    `<rect width="${WIDTH}" height="${height}" rx="8" fill="#ffffff" stroke="#d0d7de"/>`,
    ...charts.map((chart, n) => drawChart(chart, n * CHART_HEIGHT)),
    text(LEFT, height - 14, measured, `fill="${FAINT}" font-size="11"`),
    '</svg>',
    '',
  ].join('\n');
}

const WIDTH = 800;
const CHART_HEIGHT = 430;
const FOOT = 36;
const LEFT = 72;
const RIGHT = WIDTH - 28;
const TOP = 74;
const BOTTOM = CHART_HEIGHT - 56;
const INK = '#1f2328';
const FAINT = '#59636e';
const GRID = '#e4e8ec';
/** Strokes of series that share a place stand side by side. */
const STROKE_APART = 3;

export function escapeXml(plain: string): string {
  // Characters that XML 1.0 does not know, not even escaped, are left out.
  return [...plain]
    .filter(
      (char) =>
        char === '\n' || (char >= ' ' && char !== '\u{FFFE}' && char !== '\u{FFFF}' && !isSurrogate(char)),
    )
    .map((char) => ENTITIES[char] ?? char)
    .join('');
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const isSurrogate = (char: string): boolean => char >= '\u{D800}' && char <= '\u{DFFF}' && char.length === 1;

const text = (x: number, y: number, plain: string, more = ''): string =>
  `<text x="${x}" y="${y}" ${more}>${escapeXml(plain)}</text>`;

function drawChart(chart: Chart, offset: number): string {
  const points = chart.series.flatMap((series) => series.points);
  const xs = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b);
  const ys = ticksAround(points.flatMap(({ y, min, max }) => [y, min, max]));
  const [first, last] = [xs[0] ?? 1, xs.at(-1) ?? 1];
  // A breath at both ends, so that no dot sits on an axis.
  const x = logScale(first / 1.2, last * 1.2, LEFT, RIGHT);
  const y = logScale(ys[0] ?? 1, ys.at(-1) ?? 1, BOTTOM, TOP);
  return [
    `<g transform="translate(0 ${offset})" fill="${INK}">`,
    text(LEFT, 30, chart.title, 'font-size="15" font-weight="600"'),
    ...drawLegend(chart.series),
    ...ys.map((tick) => drawRow(tick, y)),
    ...xs.map((tick) => drawColumn(tick, x)),
    text((LEFT + RIGHT) / 2, BOTTOM + 40, chart.x, 'text-anchor="middle"'),
    text(0, 0, chart.y, `text-anchor="middle" transform="translate(22 ${(TOP + BOTTOM) / 2}) rotate(-90)"`),
    ...chart.series.map((series, n) =>
      drawSeries(series, x, y, (n - (chart.series.length - 1) / 2) * STROKE_APART),
    ),
    '</g>',
  ].join('\n');
}

function drawRow(tick: number, y: LogScale): string {
  const at = y.place(tick);
  return [
    `<line x1="${LEFT}" x2="${RIGHT}" y1="${at}" y2="${at}" stroke="${GRID}"/>`,
    text(LEFT - 8, at + 4, shortNumber(tick), `text-anchor="end" fill="${FAINT}"`),
  ].join('\n');
}

function drawColumn(tick: number, x: LogScale): string {
  const at = x.place(tick);
  return [
    `<line x1="${at}" x2="${at}" y1="${BOTTOM}" y2="${BOTTOM + 5}" stroke="${FAINT}"/>`,
    text(at, BOTTOM + 20, shortNumber(tick), `text-anchor="middle" fill="${FAINT}"`),
  ].join('\n');
}

const lineOf = ({ color, dashed }: Series): string =>
  `stroke="${escapeXml(color)}" stroke-width="2"${dashed ? ' stroke-dasharray="6 4"' : ''}`;

function drawLegend(series: readonly Series[]): readonly string[] {
  const width = (RIGHT - LEFT) / series.length;
  return series.map((each, n) => {
    const left = LEFT + n * width;
    return [
      `<line x1="${left}" x2="${left + 26}" y1="50" y2="50" ${lineOf(each)}/>`,
      drawDot(left + 13, 50, each),
      text(left + 33, 54, each.name),
    ].join('\n');
  });
}

const drawDot = (x: number, y: number, { color, dashed }: Series): string =>
  `<circle cx="${x}" cy="${y}" r="3.5" fill="${dashed ? '#ffffff' : escapeXml(color)}" stroke="${escapeXml(color)}" stroke-width="1.5"/>`;

function drawSeries(series: Series, x: LogScale, y: LogScale, shift: number): string {
  const placed = series.points.map((point) => ({ point, at: x.place(point.x), up: y.place(point.y) }));
  const path = placed.map(({ at, up }, n) => `${n === 0 ? 'M' : 'L'}${at} ${up}`).join(' ');
  const stroke = (at: number, { min, max }: Point): string =>
    `<line x1="${at}" x2="${at}" y1="${y.place(min)}" y2="${y.place(max)}" stroke="${escapeXml(series.color)}" stroke-width="2" stroke-opacity="0.35"/>`;
  return [
    ...placed.map(({ point, at }) => stroke(at + shift, point)),
    `<path d="${path}" fill="none" ${lineOf(series)}/>`,
    ...placed.map(({ at, up }) => drawDot(at, up, series)),
  ].join('\n');
}
