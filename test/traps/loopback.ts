import { join } from 'node:path';
import { embeddedEndpoints } from '../../lib/adapters/alpaca/endpoints.ts';
import { NO_COMMAND_LINE, parseConfig } from '../../lib/adapters/config/load.ts';
import { startExchangeServer } from '../../lib/adapters/exchange/server.ts';
import { openLog } from '../../lib/adapters/log/open-log.ts';
import { openDaemon } from '../../lib/app/daemon.ts';
import { after, type Duration, millis, seconds } from '../../lib/domain/time.ts';
import type { Log } from '../../lib/ports/log.ts';
import { createExchange } from '../../lib/sim/exchange.ts';
import type { Exchange, ExchangeOptions, TapeItem } from '../../lib/sim/exchange-api.ts';
import { NO_FAULTS, type ScriptedFault } from '../../lib/sim/fault-types.ts';
import { createFaults } from '../../lib/sim/faults.ts';
import { createRandom } from '../../lib/sim/random.ts';
import { plainOptions } from '../parity/exchange-of.ts';
import { scratch } from '../support/scratch.ts';
import { lagging } from './lagging.ts';
import { FULL_DAY, tapeOf, utc } from './minutes.ts';

/** Exchange seconds per wall second: fast enough for a test, slow enough that a busy machine's hiccup is no long time. */
const SPEED = 40;

/** The daemon as it is shipped, with its threads, sockets, journal and clock, against the exchange's doors on loopback. */
export type LoopbackDay = {
  readonly exchange: Exchange;
  /** Event names of the daemon's log, each with its fields. */
  readonly log: readonly { readonly event: string; readonly symbol?: unknown; readonly code?: unknown }[];
  /** Waits until the daemon's clock shows this UTC time of day. */
  until(time: string): Promise<void>;
  /** Ends the daemon as a stop would, then the exchange. */
  close(): Promise<void>;
};

export async function openLoopbackDay(options: {
  readonly items: readonly TapeItem[];
  readonly startAt: string;
  readonly script: readonly ScriptedFault[];
  readonly exchange?: Partial<ExchangeOptions>;
  readonly positionsLag?: Duration;
}): Promise<LoopbackDay> {
  const tape = tapeOf(options.items);
  const exchange = createExchange(
    { ...plainOptions(FULL_DAY, utc(options.startAt)), ...options.exchange },
    tape,
  );
  const server = await startExchangeServer({
    exchange: lagging(exchange, options.positionsLag ?? millis(0)),
    speed: SPEED,
    faults: createFaults({ ...NO_FAULTS, script: options.script }, createRandom(1)),
  });
  const yaml = [
    'symbols:',
    ...tape.symbols.map((symbol) => `  - { symbol: ${symbol}, lot: 2000 }`),
    'exit: { markup: 0.01 }',
    // A hiccup of the machine lasts long at this speed, and none of these tests is about old prices.
    'entry: { lastTradeMaxAge: 60s }',
  ].join('\n');
  const loaded = parseConfig('test', new TextEncoder().encode(yaml), NO_COMMAND_LINE);
  if (!loaded.ok) throw new Error(loaded.mistakes.map(({ rule }) => rule).join('\n'));
  const quiet = openLog({
    level: 'error',
    dir: null,
    fileBytesMax: 1,
    filesMax: 1,
    console: null,
    now: () => exchange.now(),
    wallNow: () => exchange.now(),
  });
  const lines: { event: string }[] = [];
  const stop = new AbortController();
  const folder = scratch();
  const outcome = await openDaemon({
    config: loaded.config,
    endpoints: embeddedEndpoints(Number(new URL(server.url).port)),
    journalPath: join(folder, 'journal.db'),
    baseDir: folder,
    openLog: quiet,
    log: keeping(lines),
    events: { onSessionEnded: () => undefined },
    stop: stop.signal,
  });
  if (outcome.kind === 'failed') throw new Error(outcome.text);
  const { daemon } = outcome;
  const close = async (): Promise<void> => {
    await daemon.engine.stop('flatten', after(daemon.clock.now(), seconds(300)));
    await daemon.close();
    await quiet.close();
    await server.close();
  };
  const started = await daemon.engine.start();
  if (started.kind === 'failed') throw new Error(started.text);
  return {
    exchange,
    log: lines,
    until: (time) => new Promise((resolve) => daemon.clock.at(utc(time), resolve)),
    close,
  };
}

function keeping(lines: { event: string }[]): Log {
  const keep = (event: string, fields: object = {}): void => void lines.push({ ...fields, event });
  return { debug: keep, info: keep, warn: keep, error: keep };
}
