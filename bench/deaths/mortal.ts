import { execSync } from 'node:child_process';
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Strategy } from '../../lib/strategy/contract.ts';

/** What a file named for the symbol may ask for, and how the thread then dies. */
export const DEATHS = {
  throw: () => {
    throw new TypeError('the signal divided by zero');
  },
  reject: () => void Promise.reject(new RangeError('nobody caught this')),
  exit: () => process.exit(7),
  heap: () => {
    const hoard: object[] = [];
    for (;;) hoard.push({ n: hoard.length, text: `${hoard.length}` });
  },
  stack: (): void => DEATHS.stack(),
  loop: () => {
    for (;;);
  },
  wait: () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0),
  /** Blocks in the operating system: not even a terminate gets through before the child has ended. */
  child: () => void execSync('sleep 3'),
  /**
   * Not this thread's end but the whole process's: V8 aborts over one array of 480 MB that does not fit the limit. Not
   * over every one: what `new Array` asks for is given beyond all limits.
   */
  allocation: () => void 'x'.repeat(60_000_000).split(''),
} satisfies Record<string, () => void>;

export type Death = keyof typeof DEATHS;

/** Instants that two processes of one machine can compare, in milliseconds. */
export const machineMillis = (): number => Number(process.hrtime.bigint()) / 1e6;

/** Where the victim's last word is: the instant of its death. */
export const lastWordOf = (folder: string, symbol: string): string => join(folder, `${symbol}.died`);

/** Signals an entry on every bar; on the first bar that finds a file named for its symbol, dies as it says. */
const mortal: Strategy<string> = {
  name: 'mortal',
  check: ({ folder }) => (typeof folder === 'string' ? [] : ['folder is where the orders to die lie']),
  open: ({ folder }) => String(folder),
  onBar(folder, { symbol }) {
    const death = orderFor(folder, symbol);
    if (death !== null) DEATHS[death]();
    return { state: folder, signal: 'enter', facts: {} };
  },
};
export default mortal;

/** Taken away when read: the lane's next thread lives. */
function orderFor(folder: string, symbol: string): Death | null {
  try {
    const file = join(folder, symbol);
    const death = readFileSync(file, 'utf8');
    unlinkSync(file);
    writeFileSync(lastWordOf(folder, symbol), String(machineMillis()));
    return death in DEATHS ? (death as Death) : null;
  } catch {
    return null; // nobody asked
  }
}
