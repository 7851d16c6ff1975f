import type { ClientOrderId, Ticker } from '../../lib/domain/ids.ts';
import type { Purpose } from '../../lib/domain/intent.ts';
import type { HaltState } from '../../lib/domain/market.ts';
import type { Micros } from '../../lib/domain/time.ts';
import type { EngineStatus } from '../../lib/engine/engine-types.ts';
import type { SessionReport } from '../../lib/engine/report.ts';
import type { SubmitOutcome } from '../../lib/ports/broker.ts';
import type { Stream } from '../../lib/sim/fault-types.ts';

/** What was seen at the doors between daemon and exchange, in exchange time. It judges nothing. */
export type Witness = {
  readonly posts: Post[];
  readonly requests: Request[];
  /** What the daemon was told, by its own feeds. */
  readonly halts: Told<{ readonly symbol: Ticker; readonly state: HaltState }>[];
  readonly feeds: Told<{ readonly stream: Stream; readonly live: boolean }>[];
  readonly connects: Told<{ readonly stream: Stream; readonly answer: string }>[];
  readonly operator: Told<{ readonly what: string; readonly symbol: Ticker | null }>[];
  readonly processes: {
    readonly startedAt: Micros;
    readyAt: Micros | null;
    endedAt: Micros | null;
    outcome: string;
  }[];
  readonly reports: { readonly at: Micros; readonly report: SessionReport }[];
  /** The engine's own word shortly after each session's report. */
  readonly statuses: { readonly at: Micros; readonly status: EngineStatus }[];
  /** Log lines of level error, by event, and the last text of each. */
  readonly errors: Map<string, { count: number; last: string }>;
  /** What came about, however it did: a table of situations with their counts. */
  readonly situations: Map<string, number>;
};

export type Told<T> = T & { readonly at: Micros; readonly process: number };

export type Post = {
  readonly at: Micros;
  readonly process: number;
  readonly id: ClientOrderId;
  readonly symbol: Ticker;
  readonly side: 'buy' | 'sell';
  readonly purpose: Purpose;
  readonly qty: number;
  /** `null` while nobody lived to hear it. */
  outcome: SubmitOutcome | null;
};

export type Request = { readonly at: Micros; readonly process: number; readonly what: string };

export function createWitness(): Witness {
  return {
    posts: [],
    requests: [],
    halts: [],
    feeds: [],
    connects: [],
    operator: [],
    processes: [],
    reports: [],
    statuses: [],
    errors: new Map(),
    situations: new Map(),
  };
}

/** A lane came to something else than the step that was taken for it. */
export const DIVERGED = 'lane diverged';

export function noteSituation(witness: Witness, name: string): void {
  witness.situations.set(name, (witness.situations.get(name) ?? 0) + 1);
}
