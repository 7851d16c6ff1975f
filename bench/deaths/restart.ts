import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Ticker } from '../../lib/domain/ids.ts';
import type { Said } from './engine.ts';
import { inTime } from './in-time.ts';
import { machineMillis } from './mortal.ts';
import { type Books, openStand, type Stand } from './stand.ts';

/** One death of a whole process by one allocation, and what its successor made of it. */
export type Restart = {
  /** What ended the process. */
  readonly signal: string | null;
  /** For each lane that held shares without an exit: from the end of the process until its exit was at the exchange. */
  readonly exitMs: readonly number[];
  readonly open: readonly string[];
  readonly books: Books;
};

/**
 * Starts an engine, has a lane allocate too much, starts the engine again as pm2 would, waits until all is sold. Rejects
 * when that takes longer than `patienceMs`; leaves no process behind.
 */
export async function dieOfAllocation(lanes: number, speed: number, patienceMs: number): Promise<Restart> {
  const stand = await openStand(lanes, speed);
  const children: ChildProcess[] = [];
  try {
    const start = (): ChildProcess => {
      const child = startChild(stand, speed);
      children.push(child);
      return child;
    };
    return await inTime(patienceMs, 'after allocation', dieAndRestart(stand, start), stand.describe);
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await stand.close();
  }
}

async function dieAndRestart(stand: Stand, start: () => ChildProcess): Promise<Restart> {
  let death = await dieOnce(stand, start());
  // It may take so long to die that the custodian has sold before: then once more.
  while (death.holders.length === 0) death = await dieOnce(stand, start());
  const { signal, holders, endedAt, from } = death;
  const successor = start();
  const ended = once(successor, 'exit');
  await stand.until(() => holders.every((symbol) => firstSell(stand, symbol, from) !== null));
  const exitMs = holders.map((symbol) => (firstSell(stand, symbol, from) ?? Number.NaN) - endedAt);
  const open = await stopChild(successor);
  await ended;
  return { signal, exitMs, open, books: await stand.books() };
}

async function dieOnce(stand: Stand, child: ChildProcess) {
  const [victim] = stand.symbols;
  if (victim === undefined) throw new RangeError('somebody has to die: lanes is 1 or more');
  const ended = once(child, 'exit');
  await stand.until(() => stand.symbols.every((symbol) => stand.phaseOf(symbol) === 'part'));
  stand.condemn(victim, 'allocation');
  const [, signal] = (await ended) as [number | null, string | null];
  const holders = stand.symbols.filter((symbol) => ['part', 'whole'].includes(stand.phaseOf(symbol)));
  return { signal, holders, endedAt: machineMillis(), from: stand.happenings.length };
}

function startChild(stand: Stand, speed: number): ChildProcess {
  const args = [stand.url, stand.symbols.length, speed, stand.folder].map(String);
  // The last words of a process that is out of memory are long; they say what is known here.
  const child = fork(new URL('./engine.js', import.meta.url), args, {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  child.on('message', (said: Said) => {
    if (said.kind !== 'line') return;
    const { symbol } = said.fields;
    stand.heard({ ...said, symbol: symbol === undefined ? null : String(symbol) });
  });
  return child;
}

async function stopChild(child: ChildProcess): Promise<readonly string[]> {
  const stopped = new Promise<readonly string[]>((resolve, reject) => {
    child.on('message', (said: Said) => {
      if (said.kind === 'stopped') resolve(said.open);
    });
    child.on('exit', (code) => reject(new Error(`the second engine ends when it is told to: exit ${code}`)));
  });
  child.send('stop');
  return stopped;
}

function firstSell(stand: Stand, symbol: Ticker, from: number): number | null {
  for (const each of stand.happenings.slice(from))
    if (each.kind === 'order' && each.symbol === symbol && each.side === 'sell') return each.at;
  return null;
}
