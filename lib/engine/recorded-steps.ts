import type { Ticker } from '../domain/ids.ts';
import type { LaneCommand, LaneEvent } from '../domain/lane-types.ts';
import type { StoredRecord } from '../ports/journal.ts';
import { isObject, isUpdatedBar, type LaneBegin, laneBeginIn, stepIn } from './lane-records.ts';

/** One step of a lane as up to three kinds of records tell of it. Record ids are the journal's. */
export type RecordedStep = {
  readonly symbol: Ticker;
  readonly number: number;
  /** The record of the event: the `input`, or the `request` where a kill left that alone. */
  readonly record: number;
  readonly event: LaneEvent;
  readonly decision: { readonly record: number; readonly commands: readonly LaneCommand[] } | null;
  readonly requests: readonly RecordedRequest[];
  /** The process ended before it had written all of the step: its commands may be missing. */
  readonly isTorn: boolean;
};

export type RecordedRequest = {
  readonly record: number;
  readonly event: LaneEvent;
  readonly command: unknown;
};

/** What lies between the last step of a lane and somebody's beginning with it: nothing, or a start of the daemon. */
export type Since = 'sameProcess' | 'restart' | 'restartFromBroker';

/** What the records of a day say, in order, lane by lane. */
export type DaySink = {
  begin(record: StoredRecord, begin: LaneBegin, since: Since): void;
  step(step: RecordedStep): void;
  /** What happened to this lane from here to its next `begin` is not wholly known. */
  gap(symbol: Ticker, text: string): void;
  /** Records that do not read as what they claim to be. */
  damage(text: string): void;
};

type Pending = { -readonly [K in keyof RecordedStep]: RecordedStep[K] } & {
  hasInput: boolean;
  requests: RecordedRequest[];
};
type Line = {
  last: number;
  pending: Pending | null;
  run: number;
};

/**
 * Puts the records of a day together to steps, in one pass. The journal is a prefix of what was written to it: a kill can
 * have cut short the last step only.
 */
export function assembleSteps(sink: DaySink): { take(record: StoredRecord): void; end(): void } {
  const lines = new Map<Ticker, Line>();
  let run = 0;
  let saysStarted = false;
  /** Lanes that the process under way has made from the broker's word. */
  let fromBroker: ReadonlySet<unknown> = new Set();
  let lastRecord = 0;

  function flush(symbol: Ticker, line: Line): void {
    const { pending } = line;
    if (pending === null) return;
    line.pending = null;
    const { hasInput, ...step } = pending;
    if (!hasInput && !step.isTorn) sink.gap(symbol, `the input of step ${step.number} is missing`);
    sink.step(step);
  }

  /** A process ended here: with a stop, or with a kill at any record. */
  function endProcess(): void {
    for (const [symbol, line] of lines) {
      const { pending } = line;
      if (pending !== null && (!pending.hasInput || pending.record === lastRecord)) pending.isTorn = true;
      flush(symbol, line);
    }
    run += 1;
  }

  function begin(record: StoredRecord, symbol: Ticker, found: LaneBegin): void {
    const line = lines.get(symbol);
    if (line !== undefined) flush(symbol, line);
    const isRestart = line !== undefined && line.run !== run;
    const since = isRestart ? (fromBroker.has(symbol) ? 'restartFromBroker' : 'restart') : 'sameProcess';
    sink.begin(record, found, since);
    lines.set(symbol, { last: 0, pending: null, run });
  }

  /** The step a record belongs to, begun when it is the first to tell of it; `null` when it cannot be read. */
  function stepOf({ id, symbol, body }: StoredRecord): Pending | null {
    const found = stepIn(body);
    if (found === null || symbol === null) {
      sink.damage(`record ${id} of ${symbol} is no step`);
      return null;
    }
    const line = lines.get(symbol);
    if (line === undefined) {
      sink.damage(`record ${id} of ${symbol} comes before anybody began with the lane`);
      return null;
    }
    if (line.pending?.number === found.number) return line.pending;
    flush(symbol, line);
    if (found.number !== line.last + 1)
      sink.gap(symbol, `record ${id}: step ${line.last + 1} is next, found step ${found.number}`);
    line.last = found.number;
    line.pending = {
      symbol,
      ...found,
      record: id,
      decision: null,
      requests: [],
      isTorn: false,
      hasInput: false,
    };
    return line.pending;
  }

  function takeInput(record: StoredRecord): void {
    const step = stepOf(record);
    if (step === null) return;
    if (step.hasInput) sink.gap(step.symbol, `record ${record.id}: step ${step.number} has two inputs`);
    Object.assign(step, {
      record: record.id,
      event: stepIn(record.body)?.event ?? step.event,
      hasInput: true,
    });
  }

  function takeRequest(record: StoredRecord): void {
    const step = stepOf(record);
    const event = stepIn(record.body)?.event;
    if (step === null || event === undefined || !isObject(record.body)) return;
    const { what, step: _, event: __, ...rest } = record.body;
    step.requests.push({ record: record.id, event, command: { kind: what, ...rest } });
  }

  function takeDecision({ id, symbol, body }: StoredRecord): void {
    if (symbol === null || !isObject(body) || !Array.isArray(body.commands)) {
      sink.damage(`record ${id} of ${symbol} is no decision`);
      return;
    }
    const pending = lines.get(symbol)?.pending ?? null;
    if (pending === null || pending.number !== body.step || pending.decision !== null)
      sink.gap(symbol, `record ${id} is a decision of step ${body.step}, which is not there`);
    else pending.decision = { record: id, commands: body.commands as readonly LaneCommand[] };
  }

  /** Records were lost before this one: what the step under way lacks, it may have had. */
  function takeLoss({ id, symbol, body }: StoredRecord): void {
    const line = symbol === null ? undefined : lines.get(symbol);
    if (symbol === null || line === undefined) return;
    if (line.pending !== null) line.pending.isTorn = true;
    flush(symbol, line);
    const { records, cause } = isObject(body) ? body : {};
    sink.gap(symbol, `record ${id}: ${records} records before it could not be written: ${cause}`);
  }

  function takeSession(record: StoredRecord): void {
    const { symbol, body } = record;
    const found = laneBeginIn(body);
    if (found !== null && symbol !== null) begin(record, symbol, found);
    else if (isObject(body) && body.what === 'started') {
      saysStarted = true;
      fromBroker = new Set(Array.isArray(body.fromBroker) ? body.fromBroker : []);
      endProcess();
    }
    // Older journals do not tell of a start, and begin a session with every one.
    else if (isObject(body) && body.what === 'began' && !saysStarted) endProcess();
  }

  return {
    take(record) {
      const { kind, body } = record;
      if (kind === 'session') takeSession(record);
      else if (kind === 'input' && !isUpdatedBar(body)) takeInput(record);
      else if (kind === 'request') takeRequest(record);
      else if (kind === 'decision') takeDecision(record);
      else if (kind === 'gap') takeLoss(record);
      lastRecord = record.id;
    },
    end: endProcess,
  };
}
