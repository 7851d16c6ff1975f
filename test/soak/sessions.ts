import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Child, killChildren, startScalpd } from '../e2e/support/child.ts';
import { eventOf } from '../e2e/support/daemon-log.ts';
import { expectFlat, startExchange } from '../e2e/support/exchange.ts';
import { removeScratch, scratch } from '../support/scratch.ts';
import { readNumbers } from './options.ts';

/**
 * One process, many sessions in a row: what a daemon that is never restarted grows by. Prints a line of JSON for each
 * session and one for all, and from nine sessions on fails when memory, handles or
 * threads have not leveled off. Reads /proc, so Linux alone.
 *
 *   npm run soak -- --sessions 20 --symbols 50
 */

const { sessions, symbols, speed, seed } = readNumbers('Runs one daemon for many sessions in a row.', {
  sessions: { fallback: 20, min: 2, max: 60, text: 'how many' },
  symbols: { fallback: 50, min: 1, max: 200, text: 'of the invented market' },
  speed: { fallback: 300, min: 1, max: 1_200, text: 'exchange seconds per second' },
  seed: { fallback: 1, min: 0, max: 4_294_967_295, text: 'of the market' },
});

type Sample = {
  readonly session: number;
  readonly roundTrips: number;
  readonly rssMb: number;
  readonly handles: number;
  readonly threads: number;
  /** What this session added, in MB. */
  readonly journalMb: number;
};

/** Growth of the last third over the middle one that counts as level, in shares of it. */
const MEMORY_SLACK = 0.1;
const HANDLES_SLACK = 4;
const JUDGED_FROM = 9;
const MB = 1_048_576;

async function soak(): Promise<void> {
  const exchange = await startExchange(scratch(), [
    ...['--count', String(symbols), '--days', String(sessions), '--skip-nights'],
    ...['--speed', String(speed), '--seed', String(seed)],
  ]);
  const cwd = scratch();
  writeFileSync(join(cwd, 'soak.yaml'), configurationOf(exchange.symbols));
  const daemon = startScalpd({ cwd, args: ['run', '--config', 'soak.yaml'], env: exchange.env });
  process.stderr.write(`journal and log in ${cwd}\n`);
  let roundTrips = 0;
  const count = (line: string): boolean => {
    if (eventOf(line) === 'lane.roundTrip') roundTrips += 1;
    return false;
  };
  daemon.line(count).catch(() => undefined);
  const samples: Sample[] = [];
  for (let session = 1; session <= sessions; session += 1) {
    await nthLine(daemon, 'session.ended', session);
    const journalBefore = samples.reduce((sum, { journalMb }) => sum + journalMb, 0);
    const sample = take(daemon.pid, cwd, session, roundTrips, journalBefore);
    samples.push(sample);
    roundTrips = 0;
    process.stdout.write(`${JSON.stringify(sample)}\n`);
  }
  daemon.signal('SIGINT');
  const { code, err } = await daemon.ended;
  expect(code, err).to.equal(0);
  expectFlat(await exchange.finish());
  const [middle, last] = [samples.slice(sessions / 3, (2 * sessions) / 3), samples.slice((2 * sessions) / 3)];
  const grown = {
    rss: median(last, 'rssMb') / median(middle, 'rssMb'),
    handles: median(last, 'handles') - median(middle, 'handles'),
    threads: median(last, 'threads') - median(middle, 'threads'),
    journal: median(last, 'journalMb') / median(middle, 'journalMb'),
  };
  process.stdout.write(`${JSON.stringify({ sessions, symbols, speed, seed, grown })}\n`);
  // A few sessions are still warming up: there is nothing to be level yet.
  if (sessions < JUDGED_FROM) return;
  expect(grown.rss, 'memory of the last third over the middle third').to.be.at.most(1 + MEMORY_SLACK);
  expect(grown.handles, 'handles more than before').to.be.at.most(HANDLES_SLACK);
  expect(grown.threads, 'threads more than before').to.be.at.most(0);
}

/** The loss of the day would end the run on its first bad day, and latch. */
const configurationOf = (symbols: readonly string[]): string =>
  `symbols:\n${symbols.map((symbol) => `  - { symbol: ${symbol}, lot: 2000 }\n`).join('')}risk: { dailyLossMax: 1000000 }\n`;

function take(pid: number, cwd: string, session: number, roundTrips: number, journalBefore: number): Sample {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const fact = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  const journal = readdirSync(join(cwd, 'data')).map((file) => statSync(join(cwd, 'data', file)).size);
  return {
    session,
    roundTrips,
    rssMb: round(fact('VmRSS') / 1_024),
    handles: readdirSync(`/proc/${pid}/fd`).length,
    threads: fact('Threads'),
    journalMb: round(journal.reduce((sum, size) => sum + size, 0) / MB - journalBefore),
  };
}

function nthLine(daemon: Child, event: string, count: number): Promise<string> {
  let seen = 0;
  return daemon.line((line) => {
    if (eventOf(line) !== event) return false;
    seen += 1;
    return seen === count;
  });
}

function median(samples: readonly Sample[], of: keyof Sample): number {
  const sorted = samples.map((sample) => sample[of]).sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

const round = (value: number): number => Math.round(value * 10) / 10;

try {
  await soak();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await killChildren();
  if (process.exitCode !== 1) removeScratch();
}
