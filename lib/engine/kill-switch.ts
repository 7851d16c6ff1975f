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
 * What the operator and the daily loss can do to all lanes. The kill switch and the daily loss latch: they survive restarts,
 * and only an operator who says so clears them.
 */
export type KillSwitch = {
  pause(order: OperatorOrder): OperatorAnswer;
  /** Lifts pause and flatten. The latches are lifted only with `clearLatches`. */
  resume(order: OperatorOrder & { readonly clearLatches: boolean }): OperatorAnswer;
  flatten(order: OperatorOrder): OperatorAnswer;
  kill(order: Omit<OperatorOrder, 'symbol'>): OperatorAnswer;
  /** Looks at the profit of the day; `null` is "not known" and changes nothing. */
  watch(dayPnl: Cash | null): void;
  latches(): { readonly loss: LossLatch; readonly killed: boolean };
  /** For people: which latch is on, by whom and why. */
  describe(): string | null;
  /** Takes up what the journal says of earlier orders, oldest first. */
  restore(records: readonly StoredRecord[]): void;
  /** Writes the latches into a new day's journal. */
  openDay(): void;
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
    void recorder.write('operator', symbol, { what, by, why, ...extra });
  }

  function set(order: OperatorOrder, reason: ModeReason, mode: 'paused' | 'flattening'): void {
    modes.set(order.symbol, { reason, mode, by: `${order.by}: ${order.why}` });
  }

  function lift({ symbol, by }: OperatorOrder, reasons: readonly ModeReason[]): void {
    // "Resume everything" includes what was stopped symbol by symbol.
    const where = symbol === null ? [null, ...symbols] : [symbol];
    for (const each of where) for (const reason of reasons) modes.lift(each, reason, by);
  }

  function latch(on: Latch): void {
    if (on.reason === 'kill') killed = on;
    modes.set(null, { reason: on.reason, mode: 'flattening', by: `${on.by}: ${on.why}` });
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

  function writeLatches(): void {
    if (killed !== null) {
      const { by, why, at } = killed;
      void recorder.write('operator', null, { what: 'kill', by, why, at });
    }
    if (loss.kind === 'latched')
      void recorder.write('operator', null, { what: 'dailyLoss', dayPnl: loss.dayPnl, at: loss.at });
  }

  function restoreOne({ at, symbol, body }: StoredRecord): void {
    const said = body as Readonly<Record<string, unknown>>;
    const order: OperatorOrder = { symbol, by: String(said.by ?? ''), why: String(said.why ?? '') };
    switch (said.what) {
      case 'kill':
        latch({ reason: 'kill', by: order.by, why: order.why, at });
        break;
      case 'dailyLoss':
        loss = { kind: 'latched', at, dayPnl: Number(said.dayPnl ?? 0) as Cash };
        latch({ reason: 'dailyLoss', by: 'risk', why: describe() ?? '', at });
        break;
      case 'pause':
        set(order, 'pause', 'paused');
        break;
      case 'resume':
        lift(order, ['pause']);
        if (said.clearLatches === true) clear(order.by);
        break;
      default:
        // A flatten is done once; a restart is no second order for it.
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
    watch(dayPnl) {
      const now = clock.now();
      const next = watchLoss(loss, limits, dayPnl, now);
      if (next === loss || next.kind !== 'latched' || loss.kind === 'latched') return;
      loss = next;
      log.error('risk.dailyLoss', {
        pnl: formatDecimal(next.dayPnl),
        limit: formatDecimal(limits.dailyLossMax),
        consequence: 'everything is flattened; only resume with clearing lifts it',
      });
      writeLatches();
      latch({ reason: 'dailyLoss', by: 'risk', why: describe() ?? '', at: now });
    },
    latches: () => ({ loss, killed: killed !== null }),
    describe,
    restore(records) {
      for (const record of records) if (record.kind === 'operator') restoreOne(record);
    },
    openDay: writeLatches,
  };
}
