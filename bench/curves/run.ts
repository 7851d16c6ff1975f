/**
 * `npm run bench -- --curves [--out FILE.svg] [--from FILE.json] [--quick]`: measures how cost grows with symbols and with
 * trades, and draws it; what was measured is kept beside the picture. With `--from` the picture is drawn again from there.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { CurveData } from './curve-data.ts';
import { drawCurves } from './draw.ts';
import { measureCurves } from './measure.ts';

const { values } = parseArgs({
  options: {
    curves: { type: 'boolean' },
    out: { type: 'string', default: 'docs/scaling.svg' },
    from: { type: 'string' },
    quick: { type: 'boolean', default: false },
  },
});
const tell = (line: string): void => void process.stderr.write(`${line}\n`);

if (!values.out.endsWith('.svg')) {
  tell(`a picture is an .svg. Found: ${values.out}`);
  process.exitCode = 2;
} else {
  const data =
    values.from === undefined
      ? await measureCurves(values.quick, tell)
      : (JSON.parse(readFileSync(values.from, 'utf8')) as CurveData);
  if (values.from === undefined)
    writeFileSync(values.out.replace(/\.svg$/, '.json'), `${JSON.stringify(data, null, 2)}\n`);
  writeFileSync(values.out, drawCurves(data));
  tell(values.out);
}
