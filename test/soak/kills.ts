import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import type { SessionReport } from '../../lib/engine/report.ts';
import { createRandom, type Random } from '../../lib/sim/random.ts';
import { type Child, killChildren, startScalpd } from '../e2e/support/child.ts';
import { eventOf, eventsOf, readLog } from '../e2e/support/daemon-log.ts';
import { type Exchange, expectAgreement, startExchange } from '../e2e/support/exchange.ts';
import { expectSoundHistory, readOrders, readPositions } from '../e2e/support/order-history.ts';
import { removeScratch, scratch } from '../support/scratch.ts';
import { readNumbers } from './options.ts';

/**
 * Real processes, sockets and threads: a daemon with ten symbols is killed (SIGKILL) at random moments across simulated
 * days, started again each time, and judged by the exchange's own books after the close. Fails on a duplicate order, an
 * oversell, a share left behind, or a difference of a cent.
 *
 *   npm run kills -- --kills 200
 */

const SYMBOLS = ['SPY', 'AAPL', 'MSFT', 'NVDA', 'JPM', 'XOM', 'KO', 'F', 'BAC', 'INTC'];
/** How long a moment is waited for, in wall time; after that it is any moment. */
const MOMENT_SECONDS = 10;
/** Of exchange time: the last half hour of a day is for the last run. */
const KILLING_MINUTES = 340;
const START = '09:50';

type Tally = {
  kills: number;
  /** Kills that left shares at the broker, and kills that left an order there. */
  holding: number;
  withOrders: number;
  byMoment: Record<string, number>;
  orders: number;
  roundTrips: number;
};

const { kills, seed, speed } = readNumbers('Kills the daemon at random moments across simulated days.', {
  kills: { fallback: 200, min: 1, max: 100_000, text: 'how often' },
  seed: { fallback: 1, min: 0, max: 4_294_967_295, text: 'of the market and of the moments' },
  speed: { fallback: 60, min: 1, max: 120, text: 'exchange seconds per second' },
});
const begunAt = performance.now();
const say = (text: string): void => void process.stderr.write(`${text}\n`);

const tally: Tally = { kills: 0, holding: 0, withOrders: 0, byMoment: {}, orders: 0, roundTrips: 0 };

async function playDay(day: number): Promise<void> {
  const random = createRandom(`kills/${seed}/${day}`);
  const market = ['--symbols', SYMBOLS.join(','), '--seed', String(seed + day)];
  const exchange = await startExchange(scratch(), [...market, '--speed', String(speed), '--start', START]);
  const cwd = scratch();
  const until = performance.now() + (KILLING_MINUTES * 60_000) / speed;
  say(`day ${day + 1}: journal and log in ${cwd}`);
  while (tally.kills < kills && performance.now() + MOMENT_SECONDS * 1_000 < until) {
    await killOnce(exchange, cwd, random);
    if (tally.kills % 10 === 0) say(`${tally.kills} of ${kills} kills, ${tally.holding} with shares held`);
  }
  await lastRun(exchange, cwd);
}

/** The moments at which a process can be killed, by what it has said last. */
const MOMENTS: Readonly<Record<string, (line: string) => boolean>> = {
  'in the start': (line) => eventOf(line) === 'clock.connected',
  'as lanes start': (line) => eventOf(line) === 'lane.started',
  'when ready': (line) => eventOf(line) === 'daemon.ready',
  'as an entry leaves': (line) => submitted(line, 'entry'),
  'as an exit leaves': (line) => submitted(line, 'exit'),
  'as it gets out at market': (line) => submitted(line, 'bailOut') || submitted(line, 'flatten'),
  'after a round trip': (line) => eventOf(line) === 'lane.roundTrip',
};

function submitted(line: string, purpose: string): boolean {
  return eventOf(line) === 'order.submitted' && line.includes(`"purpose":"${purpose}"`);
}

async function killOnce(exchange: Exchange, cwd: string, random: Random): Promise<void> {
  const moment = random.pick(Object.keys(MOMENTS) as [string, ...string[]]);
  const isMoment = MOMENTS[moment] as (line: string) => boolean;
  const later = random.chance(0.5) ? random.integer(0, 15) : random.integer(0, 1_500);
  const daemon = start(exchange, cwd);
  const came = await Promise.race([
    daemon.line(isMoment).then(() => true),
    wait(MOMENT_SECONDS * 1_000, false),
  ]);
  await wait(later);
  if (!daemon.isRunning())
    throw new Error(`The daemon must run until it is killed: ${(await daemon.ended).err}`);
  daemon.signal('SIGKILL');
  expect((await daemon.ended).signal).to.equal('SIGKILL');
  const [positions, orders] = [await readPositions(exchange), await exchange.get('/v2/orders?status=open')];
  tally.kills += 1;
  if (Object.keys(positions).length > 0) tally.holding += 1;
  if ((orders as unknown[]).length > 0) tally.withOrders += 1;
  const key = came ? moment : 'at any moment';
  tally.byMoment[key] = (tally.byMoment[key] ?? 0) + 1;
}

const start = (exchange: Exchange, cwd: string, ...more: string[]): Child =>
  startScalpd({ cwd, args: ['run', ...exchange.symbols, '--lot', '2000', ...more], env: exchange.env });

/** To the close, undisturbed; then everybody's books are compared. */
async function lastRun(exchange: Exchange, cwd: string): Promise<void> {
  say('the last start of the day, to the close');
  const { code, out, err } = await start(exchange, cwd, '--once', '--json').ended;
  expect(code, err).to.equal(0);
  const report = JSON.parse(out.at(-1) ?? '') as SessionReport;
  const orders = await readOrders(exchange);
  expectSoundHistory(orders);
  expect(orders.filter(({ until }) => until === null)).to.deep.equal([]);
  expectAgreement(report, await exchange.finish());
  const log = readLog(cwd);
  for (const event of ['reconcile.discrepancy', 'journal.damaged', 'order.undead', 'daemon.crashed'])
    expect(eventsOf(log, event), event).to.deep.equal([]);
  tally.orders += orders.length;
  tally.roundTrips += report.roundTrips;
}

try {
  for (let day = 0; tally.kills < kills; day += 1) await playDay(day);
  const seconds = Math.round((performance.now() - begunAt) / 1_000);
  process.stdout.write(
    `${JSON.stringify({ ...tally, seed, speed, seconds, duplicates: 0, oversells: 0, orphans: 0, flat: true })}\n`,
  );
} catch (error) {
  say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  say(
    `after ${tally.kills} kills; to repeat: npm run kills -- --kills ${kills} --seed ${seed} --speed ${speed}`,
  );
  process.exitCode = 1;
} finally {
  await killChildren();
  if (process.exitCode !== 1) removeScratch();
}
