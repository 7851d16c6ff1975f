/**
 * Child process: `engine URL LANES SPEED FOLDER` runs the engine on the journal in the folder until its parent says stop
 * or something in it takes the whole process down. What it logs it tells its parent.
 */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { LogFields } from '../../lib/ports/log.ts';
import { startEngine } from '../parts/exit-engine.ts';
import { tickers } from '../parts/lane-starts.ts';

export type Said =
  | { readonly kind: 'line'; readonly event: string; readonly fields: LogFields }
  | { readonly kind: 'stopped'; readonly open: readonly string[] };

const [url = '', lanes, speed, folder = ''] = process.argv.slice(2);
const say = (said: Said): void => void process.send?.(said);
/** Far below the daemon's: the larger the array that it takes, the longer V8 tries before it gives up. */
const HEAP_LIMIT_MB = 32;
const strategy = { name: pathToFileURL(resolve(import.meta.dirname, 'mortal.js')).href, folder };
const stop = await startEngine(url, tickers(Number(lanes)), Number(speed), {
  strategy,
  folder,
  heapLimitMb: HEAP_LIMIT_MB,
  onLine: (event, fields) => say({ kind: 'line', event, fields }),
});
process.on('message', async () => {
  say({ kind: 'stopped', open: (await stop()).open });
  process.disconnect();
});
