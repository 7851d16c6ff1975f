/**
 * Child process of the exit benchmarks: `exit-party SPEC` is the engine, or the floor, in a process to itself. It ends when
 * its parent tells it to stop.
 */
import type { Micros } from '../../lib/domain/time.ts';
import type { LaneStep } from '../../lib/ports/lane-protocol.ts';
import { type EngineWatch, startEngine } from './exit-engine.ts';
import { startFloor } from './exit-floor.ts';
import { type Options, SLOTS, slotOf } from './exit-signal.ts';
import { tickers } from './lane-starts.ts';
import { wallNow } from './wall.ts';

export type PartyStart = { readonly url: string; readonly symbols: number } & (
  | { readonly kind: 'floor' }
  | {
      readonly kind: 'engine';
      readonly speed: number;
      readonly silent?: boolean;
      readonly stepAhead?: boolean;
      readonly maxThreads?: number;
      readonly dataStream?: string;
      /** The lanes that enter, all when absent. Their marks, and those of the others, are told when asked for. */
      readonly traded?: readonly string[];
    }
);
export type PartyAsked = 'stop' | 'prints' | 'decisions';
export type PartyTold =
  | { readonly kind: 'ready' }
  | { readonly kind: 'prints'; readonly prints: number }
  | { readonly kind: 'decisions'; readonly decisions: readonly Decision[] };
/** What a lane decided on, and when. */
export type Decision = {
  readonly on: DecisionPlace;
  readonly symbol: string;
  /** Wall milliseconds. */
  readonly decidedAt: number;
  /** The mark's instant, exchange time. */
  readonly markAt: Micros;
};
/**
 * A bar, in the lane's thread, at the instant of its decision; an order sent on a report, in the lane's thread, at the instant
 * the main thread has it; the same taken ahead in the main thread.
 */
export type DecisionPlace = 'bar' | 'thread' | 'ahead';

const start = JSON.parse(process.argv[2] ?? '') as PartyStart;
const symbols = tickers(start.symbols);
const tell = (told: PartyTold): void => void process.send?.(told);
process.on('disconnect', () => process.exit());

if (start.kind === 'floor') serve(await startFloor(start.url, symbols));
else {
  const { traded, ...over } = start;
  const watching = traded === undefined ? null : watch(traded);
  let prints = (): number => 0;
  const stop = await startEngine(start.url, symbols, start.speed, {
    ...over,
    ...watching?.over,
    onEngine: ({ status }) => {
      prints = () => status().feed.prints;
    },
  });
  serve(stop, (asked) => {
    if (asked === 'prints') tell({ kind: 'prints', prints: prints() });
    else tell({ kind: 'decisions', decisions: watching?.take() ?? [] });
  });
}

function serve(stop: () => Promise<unknown>, answer: (asked: PartyAsked) => void = () => {}): void {
  process.on('message', async (asked: PartyAsked) => {
    if (asked !== 'stop') return answer(asked);
    await stop();
    process.disconnect();
  });
  tell({ kind: 'ready' });
}

function watch(traded: readonly string[]) {
  let decisions: Decision[] = [];
  const shared = new SharedArrayBuffer(SLOTS * Float64Array.BYTES_PER_ELEMENT);
  const decidedAt = new Float64Array(shared);
  const note = (on: DecisionPlace, symbol: string, at: number, { event: { mark } }: LaneStep): void => {
    if (mark !== null) decisions.push({ on, symbol, decidedAt: at, markAt: mark.at });
  };
  const engineWatch: EngineWatch = {
    uplink(uplink) {
      if (uplink.kind !== 'decided') return;
      const { symbol } = uplink;
      for (const step of uplink.steps)
        if (step.event.kind === 'barClosed') note('bar', symbol, decidedAt[slotOf(symbol)] ?? 0, step);
        else if (sendsOnReport(step)) note('thread', symbol, wallNow(), step);
    },
    ahead(step, at) {
      if (step.event.kind === 'reported' && sendsOnReport(step))
        note('ahead', step.event.report.symbol, at, step);
    },
  };
  const options: Options = { traded, decidedAt: shared };
  return {
    over: {
      strategy: { name: new URL('./exit-signal.js', import.meta.url).href, ...options },
      watch: engineWatch,
    },
    take(): readonly Decision[] {
      const taken = decisions;
      decisions = [];
      return taken;
    },
  };
}

function sendsOnReport({ event, commands }: LaneStep): boolean {
  return event.kind === 'reported' && commands.some(({ kind }) => kind === 'submit');
}
