import type { Ticker } from '../../lib/domain/ids.ts';
import type { LaneHost, LaneHostEvents, LaneLoss } from '../../lib/ports/lane-host.ts';
import type { LaneInputMessage, LaneStart, LaneStep, LaneUplink } from '../../lib/ports/lane-protocol.ts';

/** A lane host that does nothing but remember; what its lanes say, and when they are there, is the test's word. */
export type ScriptedHost = LaneHost & {
  readonly starts: LaneStart[];
  readonly posted: { readonly symbol: Ticker; readonly seq: number; readonly input: LaneInputMessage }[];
  readonly repeated: { readonly symbol: Ticker; readonly seq: number; readonly step: LaneStep }[];
  readonly pings: { readonly symbol: Ticker; readonly seq: number }[];
  readonly stopped: Ticker[];
  /** Runs inside `start`, when all lanes have said `ready`; a start lasts as long as it does. */
  onStart: (starts: readonly LaneStart[]) => void | Promise<void>;
  say(uplink: LaneUplink): void;
  lose(symbol: Ticker, loss: LaneLoss): void;
};

export function scriptedHost(events: LaneHostEvents): ScriptedHost {
  let seq = 0;
  const host: ScriptedHost = {
    starts: [],
    posted: [],
    repeated: [],
    pings: [],
    stopped: [],
    onStart: () => undefined,
    say: events.onUplink,
    lose: events.onLost,
    async start(starts) {
      host.starts.push(...starts);
      for (const { symbol } of starts) events.onUplink({ kind: 'ready', symbol });
      await host.onStart(starts);
    },
    post(symbol, input) {
      seq += 1;
      host.posted.push({ symbol, seq, input });
      return seq;
    },
    repeat(symbol, step) {
      seq += 1;
      host.repeated.push({ symbol, seq, step });
      return seq;
    },
    ping(symbol) {
      seq += 1;
      host.pings.push({ symbol, seq });
      return seq;
    },
    setMark: () => undefined,
    control: () => {
      throw new Error('not asked here');
    },
    threadOf: () => null,
    async stop(symbol) {
      host.stopped.push(symbol);
    },
    close: async () => undefined,
  };
  return host;
}
