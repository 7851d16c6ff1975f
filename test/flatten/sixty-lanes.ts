/**
 * 60 lanes holding shares at the flatten with the budget at 200 a minute, with real sockets and a thread per lane: too long
 * for the test suite. Prints one line of JSON and fails when the exchange counted more than the budget in any 60 s, when
 * anything is open at the close, or when the forecast made as flattening began was off by more than 20 %.
 *
 *   npm run build && node dist/test/flatten/sixty-lanes.js [SPEED] [SEED]
 *
 * At speed 60 a tenth of a second that the machine is busy elsewhere is six seconds of the market: a loaded one needs 20.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { embeddedEndpoints } from '../../lib/adapters/alpaca/endpoints.ts';
import { parseConfig } from '../../lib/adapters/config/load.ts';
import { startExchangeThread } from '../../lib/app/exchange-thread.ts';
import { runDaemon } from '../../lib/app/run-daemon.ts';
import { before, type Micros, parseInstant, seconds } from '../../lib/domain/time.ts';
import type { EngineStatus } from '../../lib/engine/engine-types.ts';
import type { Log, LogFields } from '../../lib/ports/log.ts';
import { marketSymbols } from '../../lib/sim/universe.ts';
import { removeScratch, scratch } from '../support/scratch.ts';

const [speed = 60, seed = 7] = process.argv.slice(2).map(Number);
const SYMBOLS = marketSymbols(60);
const BUDGET = 200;
const FLATTEN_AT = parseInstant('2026-10-05T15:55:00-04:00') as Micros;
const LOOK_MILLIS = 10;
/** Somebody cancels every exit by hand, twice: each lane sends its own again, and the minute's budget is spent. */
const BY_HAND = [seconds(40), seconds(18)].map((length) => before(FLATTEN_AT, length));

const config = parseConfig(
  'sixty lanes',
  Buffer.from(`
symbols: [${SYMBOLS.map((symbol) => `{ symbol: ${symbol}, lot: 2000 }`).join(', ')}]
strategy: { name: ${fileURLToPath(new URL('./enter-at-half-past-three.js', import.meta.url))} }
entry: { lastTradeMaxAge: 5m, patience: 5m }
exit: { markup: 500, holdMax: 24m, retryMax: 2s }
gateway: { requestsPerMinute: ${BUDGET}, entryLife: 30s }
risk: { grossExposureMax: 1000000, dailyLossMax: 1000000 }
log: { dir: logs, level: error }
`),
);
if (!config.ok) throw new Error(JSON.stringify(config.mistakes));

type Line = { readonly at: Micros; readonly event: string; readonly fields: LogFields };
const lines: Line[] = [];
let status: (() => EngineStatus) | null = null;
let clock: (() => Micros) | null = null;
const note = (event: string, fields: LogFields = {}): void => {
  if (event.startsWith('flatten.')) lines.push({ at: clock?.() ?? (0 as Micros), event, fields });
};
const log: Log = { debug: note, info: note, warn: note, error: note };

const started = await startExchangeThread(
  {
    facts: {
      tapePaths: [],
      symbols: SYMBOLS,
      seed,
      startAt: '15:15',
      day: '2026-10-05',
      cashUsd: 1_000_000,
      printsPerDay: 23_400,
      // How long a thin book takes for the rest of a cut fill is the market's, and in no forecast. Bought at half past three, before the cutoff; held 24 minutes from the fills, so beyond the flatten.
      overrides: {
        partialFillShare: 0,
        fillRules: [
          {
            match: { side: 'buy' },
            model: { kind: 'partial', pieces: 1, only: null, delay: 150_000_000 },
            times: null,
          },
        ],
      },
    },
    server: { speed, tradingPerMinute: BUDGET },
    faults: null,
  },
  {
    onLog: (_, text) => process.stderr.write(`${text}\n`),
    onLost: (text) => process.stderr.write(`${text}\n`),
  },
);
if (!started.ok) throw new Error(started.mistakes.join('\n'));
const { thread } = started;
const cwd = scratch();
let held = 0;
const waiting = [...BY_HAND];
const looker = setInterval(() => {
  const now = clock?.();
  if (now === undefined || status === null) return;
  const [next] = waiting;
  if (next !== undefined && now >= next) {
    waiting.shift();
    thread.act({ kind: 'cancelByHand', match: { side: 'sell' } });
  }
  if (now < FLATTEN_AT) held = status().lanes.filter(({ shares }) => shares > 0).length;
}, LOOK_MILLIS);

try {
  const result = await runDaemon({
    config: config.config,
    endpoints: embeddedEndpoints(Number(new URL(thread.listening.url).port)),
    cwd,
    journalPath: join(cwd, 'sixty.db'),
    console: null,
    once: true,
    control: false,
    stop: new AbortController().signal,
    watch: {
      onOpen(ask, now) {
        status = ask;
        clock = now;
      },
      onLog: log,
    },
  });
  const books = await thread.books();
  const begun = lines.find(({ event }) => event === 'flatten.begun');
  const from = begun?.at ?? FLATTEN_AT;
  const sells = books.executions.filter(({ side, at }) => side === 'sell' && at >= before(from, seconds(5)));
  const took = (Math.max(...sells.map(({ at }) => at)) - from) / 1e6;
  const forecast = Number(begun?.fields.seconds);
  const facts = {
    speed,
    seed,
    held,
    lanes: begun?.fields.lanes,
    forecastSeconds: forecast,
    tookSeconds: took,
    offPercent: Math.round((took / forecast - 1) * 1_000) / 10,
    requestPeak: books.requestPeak,
    flat: result.report?.flat,
    retold: lines.filter(({ event }) => event === 'flatten.forecast').length,
  };
  process.stdout.write(`${JSON.stringify(facts)}\n`);
  expect(result.code, result.text).to.equal(0);
  expect(books.positions.filter(({ shares }) => shares !== 0)).to.deep.equal([]);
  expect(held, 'lanes that hold at the flatten').to.equal(SYMBOLS.length);
  expect(books.requestPeak).to.be.at.most(BUDGET);
  expect(took).to.be.within(forecast * 0.8, forecast * 1.2);
} finally {
  clearInterval(looker);
  await thread.stop();
  removeScratch();
}
