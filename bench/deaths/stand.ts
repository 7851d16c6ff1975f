import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ticker } from '../../lib/domain/ids.ts';
import type { StrategySetting } from '../../lib/ports/lane-protocol.ts';
import type { LogFields } from '../../lib/ports/log.ts';
import { tickers } from '../parts/lane-starts.ts';
import type { Told } from './exchange.ts';
import { type Death, lastWordOf } from './mortal.ts';

/** What an exchange saw of the engine, or the engine said of itself, in the order in which it was heard here. */
export type Happening =
  | Extract<Told, { kind: 'order' | 'part' | 'filled' }>
  | {
      readonly kind: 'line';
      readonly event: string;
      readonly symbol: string | null;
      readonly fields: LogFields;
    };

/** How far a round trip has come, as the exchange sees it. */
export type Phase = 'flat' | 'part' | 'whole' | 'exiting';

export type Books = Extract<Told, { kind: 'books' }>;

/** An exchange in a process of its own, and a place where lanes are told to die. */
export type Stand = {
  readonly url: string;
  readonly symbols: readonly Ticker[];
  readonly folder: string;
  readonly strategy: StrategySetting;
  readonly happenings: Happening[];
  phaseOf(symbol: Ticker): Phase;
  /** Where every lane stands, and what the engine said of it last. */
  describe(): string;
  heard(happening: Happening): void;
  /** Resolves as soon as it holds, asked after every happening; rejects when the exchange is gone. */
  until(holds: () => boolean): Promise<void>;
  /** The lane dies of it on its next bar. */
  condemn(symbol: Ticker, death: Death): void;
  /** When it died, by `machineMillis`. Throws while it lives. */
  diedAt(symbol: Ticker): number;
  books(): Promise<Books>;
  close(): Promise<void>;
};

export async function openStand(lanes: number, speed: number): Promise<Stand> {
  const folder = mkdtempSync(join(tmpdir(), 'scalpd-deaths-'));
  const child = fork(new URL('./exchange.js', import.meta.url), [String(lanes), String(speed)]);
  const served = await nextTold(child, 'served');
  const happenings: Happening[] = [];
  const waiting = new Set<{ readonly look: () => void; readonly fail: (error: Error) => void }>();
  const phases = new Map<string, Phase>();
  const heard = (happening: Happening): void => {
    happenings.push(happening);
    if (happening.kind !== 'line') phases.set(happening.symbol, phaseAfter(happening));
    for (const { look } of waiting) look();
  };
  child.on('message', (told: Told) => {
    if (told.kind === 'order' || told.kind === 'part' || told.kind === 'filled') heard(told);
  });
  child.on('exit', (code) => {
    for (const { fail } of waiting)
      fail(new Error(`the exchange lives until it is ended: exit code ${code}`));
  });
  return {
    url: served.url,
    symbols: tickers(lanes),
    folder,
    strategy: { name: new URL('./mortal.js', import.meta.url).href, folder },
    happenings,
    phaseOf: (symbol) => phases.get(symbol) ?? 'flat',
    describe: () =>
      tickers(lanes)
        .map((symbol) => {
          const said = happenings.flatMap((each) =>
            each.kind === 'line' && each.symbol === symbol ? [each.event] : [],
          );
          return `${symbol} ${phases.get(symbol) ?? 'flat'} (${said.slice(-3).join(', ')})`;
        })
        .join('; '),
    heard,
    until: (holds) =>
      new Promise((resolve, reject) => {
        const waiter = {
          look(): void {
            if (!holds()) return;
            waiting.delete(waiter);
            resolve();
          },
          fail: reject,
        };
        waiting.add(waiter);
        waiter.look();
      }),
    condemn(symbol, death) {
      rmSync(lastWordOf(folder, symbol), { force: true });
      // In one piece, or the lane may read half a word.
      writeFileSync(join(folder, `${symbol}.order`), death);
      renameSync(join(folder, `${symbol}.order`), join(folder, symbol));
    },
    diedAt: (symbol) => Number(readFileSync(lastWordOf(folder, symbol), 'utf8')),
    async books() {
      const answer = nextTold(child, 'books');
      child.send('books');
      return answer;
    },
    async close() {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}

function phaseAfter({ kind, side }: Exclude<Happening, { kind: 'line' }>): Phase {
  if (side === 'sell') return kind === 'filled' ? 'flat' : 'exiting';
  return kind === 'filled' ? 'whole' : kind === 'part' ? 'part' : 'flat';
}

function nextTold<K extends Told['kind']>(child: ChildProcess, kind: K): Promise<Extract<Told, { kind: K }>> {
  return new Promise((resolve, reject) => {
    const onMessage = (told: Told): void => {
      if (told.kind !== kind) return;
      child.off('message', onMessage);
      child.off('exit', onExit);
      resolve(told as Extract<Told, { kind: K }>);
    };
    const onExit = (code: number | null): void =>
      reject(new Error(`the exchange answers: it ended with ${code}`));
    child.on('message', onMessage);
    child.on('exit', onExit);
  });
}
