import type { Ticker } from '../domain/ids.ts';
import { type Cash, formatDecimal } from '../domain/money.ts';
import { type LossLatch, type RiskLimits, watchLoss } from '../domain/risk.ts';
import { formatInstant, type Micros } from '../domain/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { StoredRecord } from '../ports/journal.ts';
import type { Log } from '../ports/log.ts';
import type { LaneModes, ModeReason } from './modes.ts';
import type { Recorder } from './recorder.ts';

/**
 * What the operator and the daily loss can do to all lanes. What was ordered stands until an operator lifts it: through
 * restarts and from one session to the next. The kill switch and the daily loss latch: only who says so on purpose clears
 * them.
 */
export type KillSwitch = {
  pause(order: OperatorOrder): OperatorAnswer;
  /** Lifts pause and flatten. The latches are lifted only with `clearLatches`. */
  resume(order: OperatorOrder & { readonly clearLatches: boolean }): OperatorAnswer;
  flatten(order: OperatorOrder): OperatorAnswer;
  kill(order: Omit<OperatorOrder, 'symbol'>): OperatorAnswer;
  /** Looks at the profit of the day, as far as it is known: a loss is not excused by a symbol without a last trade. */
  watch(knownPnl: Cash): void;
  latches(): { readonly loss: LossLatch; readonly killed: boolean };
  /** For people: which latch is on, by whom and why. */
  describe(): string | null;
  /** Takes up what the journal says of earlier orders, oldest first. */
  restore(records: readonly StoredRecord[]): void;
  /** Writes what stands into a new day's journal: latches, pauses and flattens. */
  openDay(): void;
  /** The journal has missed something: one record says all that stands, and that nothing else does. */
  journalMended(): void;
};

/** `symbol: null` means every lane. `by` and `why` are kept in the journal and the log. */
export type OperatorOrder = { readonly symbol: Ticker | null; readonly by: string; readonly why: string };
export type OperatorAnswer =
  | { readonly kind: 'done' }
  | {
      readonly kind: 'refused';
      readonly code: 'latched' | 'unknownSymbol' | 'stoppedTogether';
      readonly text: string;
    };

type Latch = {
  readonly reason: 'kill' | 'dailyLoss';
  readonly by: string;
  readonly why: string;
  readonly at: Micros;
};

export type KillSwitchDeps = {
  readonly clock: Clock;
  readonly modes: LaneModes;
  readonly recorder: Recorder;
  readonly log: Log;
  readonly limits: RiskLimits;
  readonly symbols: readonly Ticker[];
};

const DONE: OperatorAnswer = { kind: 'done' };

export function createKillSwitch(deps: KillSwitchDeps): KillSwitch {
  const { clock, modes, recorder, log, limits, symbols } = deps;
  let loss: LossLatch = { kind: 'armed' };
  let killed: Latch | null = null;
  /** Pauses and flattens that nobody has lifted, by symbol and kind. */
  const standing = new Map<string, { readonly what: 'pause' | 'flatten'; readonly order: OperatorOrder }>();

  function unknown(symbol: Ticker | null): OperatorAnswer | null {
    if (symbol === null || symbols.includes(symbol)) return null;
    return {
      kind: 'refused',
      code: 'unknownSymbol',
      text: `a command names a symbol of this daemon: ${symbol}`,
    };
  }

  function note(what: string, { symbol, by, why }: OperatorOrder, extra: object = {}): void {
    log.warn(`operator.${what}`, { symbol, by, why });
    // Before a day is known nothing can be written; latches are, as soon as it is.
    if (recorder.day() !== null) void recorder.write('operator', symbol, { what, by, why, ...extra });
  }

  const keyOf = (symbol: Ticker | null, what: string): string => `${symbol ?? ''} ${what}`;

  function set(order: OperatorOrder, reason: 'pause' | 'flatten', mode: 'paused' | 'flattening'): void {
    standing.set(keyOf(order.symbol, reason), { what: reason, order });
    modes.set(order.symbol, { reason, mode, by: `${order.by}: ${order.why}` });
  }

  function lift({ symbol, by }: OperatorOrder, reasons: readonly ModeReason[]): void {
    // "Resume everything" includes what was stopped symbol by symbol.
    const where = symbol === null ? [null, ...symbols] : [symbol];
    for (const each of where)
      for (const reason of reasons) {
        standing.delete(keyOf(each, reason));
        modes.lift(each, reason, by);
      }
  }

  function latch(on: Latch): void {
    if (on.reason === 'kill') killed = on;
    modes.set(null, { reason: on.reason, mode: 'flattening', by: `${on.by}: ${on.why}` });
  }

  function latchLoss(latched: Extract<LossLatch, { kind: 'latched' }>): void {
    loss = latched;
    const why = `loss of the day ${formatDecimal(latched.dayPnl)} USD`;
    latch({ reason: 'dailyLoss', by: 'risk', why, at: latched.at });
  }

  function clear(by: string): void {
    killed = null;
    loss = { kind: 'armed' };
    modes.lift(null, 'kill', by);
    modes.lift(null, 'dailyLoss', by);
  }

  const isLatched = (): boolean => killed !== null || loss.kind === 'latched';

  function describe(): string | null {
    if (killed !== null) return `kill switch by ${killed.by} at ${formatInstant(killed.at)}: ${killed.why}`;
    return loss.kind === 'latched'
      ? `daily loss at ${formatInstant(loss.at)}: ${formatDecimal(loss.dayPnl)} USD`
      : null;
  }

  /** The latches that are on, as they are written. */
  function latchBodies(): readonly object[] {
    const bodies: object[] = [];
    if (killed !== null) bodies.push({ what: 'kill', by: killed.by, why: killed.why, at: killed.at });
    if (loss.kind === 'latched') bodies.push({ what: 'dailyLoss', dayPnl: loss.dayPnl, at: loss.at });
    return bodies;
  }

  function writeLatches(): void {
    for (const body of latchBodies()) void recorder.write('operator', null, body);
  }

  function restoreOne(symbol: Ticker | null, body: unknown, writtenAt: Micros): void {
    const said = (body ?? {}) as Readonly<Record<string, unknown>>;
    // A latch is written again into each new day, and keeps the instant it was set at.
    const at = typeof said.at === 'number' ? (said.at as Micros) : writtenAt;
    const order: OperatorOrder = { symbol, by: String(said.by ?? ''), why: String(said.why ?? '') };
    switch (said.what) {
      case 'kill':
        latch({ reason: 'kill', by: order.by, why: order.why, at });
        break;
      case 'dailyLoss':
        latchLoss({ kind: 'latched', at, dayPnl: Number(said.dayPnl ?? 0) as Cash });
        break;
      case 'pause':
        set(order, 'pause', 'paused');
        break;
      case 'flatten':
        set(order, 'flatten', 'flattening');
        break;
      case 'resume':
        lift(order, ['pause', 'flatten']);
        if (said.clearLatches === true) clear(order.by);
        break;
      case 'stands':
        lift(order, ['pause', 'flatten']);
        clear(order.by);
        for (const each of Array.isArray(said.orders) ? said.orders : [])
          restoreOne(each.symbol ?? null, each, writtenAt);
        break;
      default:
        break;
    }
  }

  return {
    pause(order) {
      const refused = unknown(order.symbol);
      if (refused !== null) return refused;
      note('pause', order);
      set(order, 'pause', 'paused');
      return DONE;
    },
    resume(order) {
      const refused = unknown(order.symbol);
      if (refused !== null) return refused;
      if (isLatched() && !order.clearLatches)
        return {
          kind: 'refused',
          code: 'latched',
          text: `a latch is cleared on purpose or not at all: ${describe()}`,
        };
      if (order.symbol !== null && (modes.has(null, 'pause') || modes.has(null, 'flatten')))
        return {
          kind: 'refused',
          code: 'stoppedTogether',
          text: `lanes that were stopped together are resumed together: ${order.symbol} alone was asked for`,
        };
      note('resume', order, { clearLatches: order.clearLatches });
      if (order.clearLatches) clear(order.by);
      lift(order, ['pause', 'flatten']);
      return DONE;
    },
    flatten(order) {
      const refused = unknown(order.symbol);
      if (refused !== null) return refused;
      note('flatten', order);
      set(order, 'flatten', 'flattening');
      return DONE;
    },
    kill({ by, why }) {
      note('kill', { symbol: null, by, why }, { at: clock.now() });
      log.error('kill.switch', {
        by,
        why,
        consequence: 'everything is flattened; only resume with clearing lifts it',
      });
      latch({ reason: 'kill', by, why, at: clock.now() });
      return DONE;
    },
    watch(knownPnl) {
      const now = clock.now();
      const next = watchLoss(loss, limits, knownPnl, now);
      if (next === loss || next.kind !== 'latched' || loss.kind === 'latched') return;
      log.error('risk.dailyLoss', {
        pnl: formatDecimal(next.dayPnl),
        limit: formatDecimal(limits.dailyLossMax),
        consequence: 'everything is flattened; only resume with clearing lifts it',
      });
      // On record before the flatten that follows from it.
      loss = next;
      writeLatches();
      latchLoss(next);
    },
    latches: () => ({ loss, killed: killed !== null }),
    describe,
    restore(records) {
      // What was said while the journal was being read is newer than all of it: an old clearing must not undo a kill.
      const live = { killed, loss };
      for (const { kind, symbol, body, at } of records) if (kind === 'operator') restoreOne(symbol, body, at);
      if (live.killed !== null) latch(live.killed);
      if (live.loss.kind === 'latched') latchLoss(live.loss);
    },
    openDay() {
      writeLatches();
      for (const { what, order } of standing.values())
        void recorder.write('operator', order.symbol, { what, by: order.by, why: order.why });
    },
    journalMended() {
      const orders = [...standing.values()].map(({ what, order }) => ({ what, ...order }));
      void recorder.write('operator', null, {
        what: 'stands',
        by: 'journal',
        orders: [...latchBodies(), ...orders],
      });
    },
  };
}
