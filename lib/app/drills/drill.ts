import type { LogLevel } from '../../adapters/log/record.ts';
import type { Side } from '../../domain/execution.ts';
import type { Ticker } from '../../domain/ids.ts';
import type { SessionPlan } from '../../domain/session.ts';
import type { Duration, Micros } from '../../domain/time.ts';
import type { LogFields } from '../../ports/log.ts';
import type { ExchangeAction, FillRule, SimFill } from '../../sim/exchange-api.ts';
import type { FaultKind, ScriptedFault } from '../../sim/fault-types.ts';
import type { ExitCode } from '../exit-codes.ts';

/** What must hold, by the name under which it is reported; `judge.ts` says what each means. */
export type InvariantName =
  | 'struck'
  | 'recovered'
  | 'ended'
  | 'flat'
  | 'flatBeforeClose'
  | 'neverShort'
  | 'idsUnique'
  | 'oneLiveOrder'
  | 'rate'
  | 'booksAgree'
  | 'certificate'
  | 'othersUntouched'
  | 'entriesStop'
  | 'quietInHalt'
  | 'noAlarms';

/** One thing that goes wrong in life, and how it is played. */
export type Drill = {
  readonly name: string;
  /** What happens in life, in one line. */
  readonly life: string;
  /** What must hold besides what must always hold. */
  readonly holds: readonly InvariantName[];
  /** Faults of the exchange that must have struck. */
  readonly faults: readonly FaultKind[];
  /** Marks that `play` sets: what had to be so when the fault struck. Without them it struck nobody. */
  readonly needs: readonly string[];
  /** Marks that `play` sets: what shows that the daemon saw it and got over it. */
  readonly marks: readonly string[];
  /** Log events that are alarms elsewhere and the right answer here. */
  readonly expects?: readonly string[];
  /** Records are lost on the way: the certificate may say that it cannot prove what they told, and nothing else. */
  readonly losesRecords?: true;
  /** How the daemon ends, where something must stay open. */
  readonly exit?: ExitCode;
  /** When on the day it is played. */
  readonly scene: Scene;
  /** `close`: the daemon is left alone until the session is over; else it is stopped when `play` is done. */
  readonly ends?: 'close';
  /** Exchange seconds per wall second, as a share of the usual. */
  readonly pace?: number;
  /** How the exchange treats orders. */
  readonly rules: (times: DrillTimes) => readonly FillRule[];
  /** What goes wrong at instants known beforehand. */
  readonly script?: (times: DrillTimes) => readonly ScriptedFault[];
  /** What is done to the account before the daemon starts. */
  readonly before?: (times: DrillTimes) => readonly ExchangeAction[];
  readonly play: (stage: Stage) => Promise<void>;
};

/**
 * `trading`: in mid-session, where signals are near. `close` and `halfDay`: a position that was bought at the last moment
 * is held when the flatten begins.
 */
export type Scene = 'trading' | 'close' | 'halfDay';

/** The instants of a drill, in exchange time. */
export type DrillTimes = SessionPlan & {
  readonly startAt: Micros;
  /** The symbol that is bought first, and when its signal comes. */
  readonly symbol: Ticker;
  readonly signalAt: Micros;
  /** Every symbol that is traded. */
  readonly symbols: readonly Ticker[];
  /** How long the exchange lets an entry wait before it fills it, so that shares are held when they should be. */
  readonly fillDelay: Duration;
  /** Around the close: when the fault strikes, shares in hand, the flatten still to come. */
  readonly strikeAt: Micros;
  readonly holdMax: Duration;
};

export type DrillLine = {
  readonly level: LogLevel;
  readonly event: string;
  readonly fields: LogFields;
};

/** What a drill may do and see while it is played. Every wait ends: with what was waited for, or by failing the drill. */
export type Stage = DrillTimes & {
  /** The exchange's instant, after everything that was asked of it before. */
  now(): Promise<Micros>;
  until(at: Micros): Promise<void>;
  strike(...faults: readonly ScriptedFault[]): void;
  /** Ends what was scripted: the broker is well again. */
  lift(): void;
  /** The first fitting execution, past ones included, as the exchange books it. */
  filled(side: Side, fits?: (fill: SimFill) => boolean): Promise<SimFill>;
  /** Resolves when the exchange holds nothing of it any more. */
  sold(symbol: Ticker): Promise<SimFill>;
  /** The first fitting line of the daemon's log after `since` lines. */
  logged(event: string, fits?: (fields: LogFields) => boolean, since?: number): Promise<DrillLine>;
  /** How many lines the daemon has logged. */
  lines(): number;
  mark(what: string): void;
  /** From `from` on (to `until`, or for good) there must be no entry. */
  noEntries(from: Micros, until: Micros | null, why: string): void;
  /** Nothing is sent for this symbol but cancels. */
  quiet(symbol: Ticker, from: Micros, until: Micros): void;
  readonly daemon: {
    /** SIGKILL to the process. */
    kill(): Promise<void>;
    /** Starts it (again), on the same journal. */
    start(): Promise<void>;
    /** As SIGINT does: it gets out of everything and ends. */
    stop(): Promise<void>;
    /** Ends the thread that the lane lives in, whatever it does. */
    endThreadOf(symbol: Ticker): Promise<void>;
    /** `scalpd kill`, over the control socket. */
    killSwitch(why: string): Promise<void>;
    latch(): Promise<string | null>;
    /** Takes the journal away from it, and gives it back. */
    loseJournal(): Promise<void>;
    giveJournalBack(): Promise<void>;
  };
};
