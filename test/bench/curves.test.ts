import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import fc from 'fast-check';
import type { CurveData, Series } from '../../bench/curves/curve-data.ts';
import { drawCurves, escapeXml } from '../../bench/curves/draw.ts';
import { logScale, shortNumber, ticksAround } from '../../bench/curves/log-scale.ts';

const run = promisify(execFile);
const script = (path: string): string => fileURLToPath(new URL(`../../bench/${path}`, import.meta.url));

const seriesOf = (name: string, ys: readonly number[]): Series => ({
  name,
  color: '#0969da',
  dashed: false,
  points: ys.map((y, n) => ({ x: 10 ** n, y, min: y / 2, max: y * 2 })),
});
const dataOf = (title: string, ys: readonly number[]): CurveData => ({
  measured: 'on a machine',
  charts: [
    { title, x: 'symbols', y: 'milliseconds', series: [seriesOf('one', ys), seriesOf('other', ys)] },
    { title: 'second', x: 'trades', y: 'milliseconds', series: [seriesOf('one', ys)] },
  ],
});

/** The attributes of every element of this name; throws where the text is not well-formed. */
function elementsOf(xml: string, wanted: string): readonly Readonly<Record<string, string>>[] {
  const found: Record<string, string>[] = [];
  const open: string[] = [];
  const tag = /<(\/?)([a-z]+)((?:\s+[a-zA-Z0-9:-]+="[^"<]*")*)\s*(\/?)>/gy;
  let at = 0;
  while (at < xml.length) {
    const next = xml.indexOf('<', at);
    const words = xml.slice(at, next < 0 ? undefined : next);
    expect(words.replaceAll(/&(amp|lt|gt|quot);/g, '')).not.to.match(/[&>]/);
    if (next < 0) break;
    tag.lastIndex = next;
    const match = tag.exec(xml);
    if (match === null) throw new Error(`a tag is well-formed. Found: ${xml.slice(next, next + 80)}`);
    const [whole, closes, name = '', attributes = '', isEmpty] = match;
    if (closes === '/') expect(open.pop()).to.equal(name);
    else if (isEmpty !== '/') open.push(name);
    if (closes === '' && name === wanted)
      found.push(
        Object.fromEntries(
          [...attributes.matchAll(/([a-zA-Z0-9:-]+)="([^"]*)"/g)].map(([, key, value]) => [key, value]),
        ),
      );
    at = next + whole.length;
  }
  expect(open).to.deep.equal([]);
  return found;
}

describe('scaling curves', () => {
  it('place values by their logarithm, from one end to the other', () => {
    const scale = logScale(1, 100, 0, 200);
    expect([1, 10, 100].map(scale.place)).to.deep.equal([0, 100, 200]);
    expect(logScale(1, 100, 200, 0).place(10)).to.equal(100);
  });

  it('have ticks that enclose all values', () => {
    expect(ticksAround([3, 40])).to.deep.equal([2, 5, 10, 20, 50]);
    expect(ticksAround([0.02, 0.02])).to.deep.equal([0.02, 0.05]);
    const positive = fc.double({ min: 1e-6, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(fc.array(positive, { minLength: 1 }), (values) => {
        const ticks = ticksAround(values);
        expect(ticks.length).to.be.at.least(2);
        expect(ticks[0]).to.be.at.most(Math.min(...values));
        expect(ticks.at(-1)).to.be.at.least(Math.max(...values));
      }),
      // Just under a power of ten, where its logarithm is that of the power.
      { examples: [[[999999999.9999979]]] },
    );
  });

  it('write numbers short', () => {
    expect([0.05, 2, 500, 3_000, 300_000, 1_500_000].map(shortNumber)).to.deep.equal([
      '0.05',
      '2',
      '500',
      '3k',
      '300k',
      '1.5M',
    ]);
  });

  it('are well-formed whatever the texts are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (title) => {
        const svg = drawCurves(dataOf(title, [1, 2]));
        elementsOf(svg, 'svg');
        // No character that XML does not know, escaped or not.
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
        expect(svg).not.to.match(/[\u0000-\u0009\u000b-\u001f\ufffe\uffff]/);
        expect(svg).not.to.match(/\p{Surrogate}/u);
      }),
    );
    expect(escapeXml('a < b & "c" > d')).to.equal('a &lt; b &amp; &quot;c&quot; &gt; d');
  });

  it('have a dot for each point and one in the legend, on the paper, higher for more', () => {
    const ys = [1, 4, 30];
    const svg = drawCurves(dataOf('first', ys));
    const dots = elementsOf(svg, 'circle');
    expect(dots).to.have.length(3 * (ys.length + 1));
    const [{ width, height } = { width: '0', height: '0' }] = elementsOf(svg, 'svg');
    for (const { cx, cy } of dots) {
      expect(Number(cx)).to.be.within(0, Number(width));
      expect(Number(cy)).to.be.within(0, Number(height));
    }
    // The legend of two, then the first series.
    const heights = dots.slice(2, 5).map(({ cy }) => Number(cy));
    expect(heights).to.deep.equal([...heights].sort((a, b) => b - a));
    expect(new Set(heights).size).to.equal(3);
  });

  it('are drawn again from what was kept', async function () {
    this.timeout(30_000);
    const folder = mkdtempSync(join(tmpdir(), 'scalpd-curves-'));
    try {
      const data = dataOf('kept', [1, 2, 3]);
      const [from, out] = [join(folder, 'kept.json'), join(folder, 'again.svg')];
      writeFileSync(from, JSON.stringify(data));
      await run(process.execPath, [script('run.js'), '--curves', '--from', from, '--out', out]);
      expect(readFileSync(out, 'utf8')).to.equal(drawCurves(data));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('are measured, two points each, in the quick mode', async function () {
    this.timeout(120_000);
    const folder = mkdtempSync(join(tmpdir(), 'scalpd-curves-'));
    try {
      const out = join(folder, 'quick.svg');
      await run(process.execPath, [script('curves/run.js'), '--quick', '--out', out]);
      const data = JSON.parse(readFileSync(join(folder, 'quick.json'), 'utf8')) as CurveData;
      expect(data.charts.map(({ series }) => series.map(({ points }) => points.length))).to.deep.equal([
        [2, 2, 2, 2],
        [2, 2, 2],
      ]);
      expect(readFileSync(out, 'utf8')).to.equal(drawCurves(data));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
