import type { Ticker } from '../domain/ids.ts';
import { type Lane, sharesHeld, unsettledOrders } from '../domain/lane.ts';
import type { StoredRecord } from '../ports/journal.ts';
import type { StrategySetting } from '../ports/lane-protocol.ts';
import type { Strategy } from '../strategy/contract.ts';
import { neverEnter } from '../strategy/never-enter.ts';
import { firstDifference } from './first-difference.ts';
import { isObject, type LaneBegin } from './lane-records.ts';
import { createLaneRunner } from './lane-runner.ts';
import { assembleSteps, type RecordedStep } from './recorded-steps.ts';
import { type Change, createAlteredLane, type LaneChange } from './replay-altered.ts';
import { compareStep, createReplayRunner, type Difference, type ReplayRunner } from './replay-step.ts';

/**
 * A recorded day once more, through the same lane-runner: does this build decide what the journal says was decided?
 *
 * 1. What a lane did follows from the state somebody began with it in, its strategy's bars, and the events since, each with
 *    its instant and mark. All of that is in the journal, so equal builds give equal commands, to the last field.
 * 2. Whoever held the lane is played as he was: a thread with its strategy, the custodian with one that never enters.
 * 3. A new begin (restart, take-over, give-back) must find the lane as its steps left it. Only the settings may be others
 *    after a restart.
 * 4. After a lane's first difference its later states mean nothing, and none of them is compared. The same holds after
 *    records that are missing, up to the next begin.
 */
export type Replay = {
  /** Records of one day in append order. */
  take(record: StoredRecord): void;
  /** Once, after the last record. */
  result(): DayReplay;
};

export type ReplayOptions = {
  readonly strategyOf: (setting: StrategySetting) => Strategy;
  /** For records that are too old to name their strategy. */
  readonly strategy: StrategySetting;
  /** Other settings than the recorded ones: what would have been decided then? */
  readonly change?: Change | null;
  /** Only this lane. */
  readonly symbol?: Ticker | null;
  /** Another runner than ours, to see what it would have decided. */
  readonly createRunner?: typeof createLaneRunner;
};

export type LaneReplay = {
  readonly symbol: Ticker;
  /** How often somebody began with the lane: starts, take-overs, give-backs. */
  readonly begins: number;
  /** Steps that were compared, and how many of them are equal. */
  readonly steps: number;
  readonly equal: number;
  /** Steps after the first difference or after missing records. */
  readonly notCompared: number;
  readonly difference: Difference | null;
  readonly gaps: readonly string[];
  readonly change: LaneChange | null;
};

export type DayReplay = {
  readonly records: number;
  /** The builds that wrote the day, in order, each once. */
  readonly builds: readonly string[];
  /** The records do not name their strategy: the one of the configuration was taken. */
  readonly strategyAssumed: boolean;
  readonly lanes: readonly LaneReplay[];
  readonly damages: readonly string[];
};

type Line = {
  -readonly [K in keyof Omit<LaneReplay, 'change' | 'gaps'>]: LaneReplay[K];
} & {
  readonly gaps: string[];
  /** `null` when what the lane is in is not known. */
  runner: ReplayRunner | null;
  readonly altered: ReturnType<typeof createAlteredLane> | null;
};

export function createReplay(options: ReplayOptions): Replay {
  const { strategyOf, change = null, symbol: only = null, createRunner = createLaneRunner } = options;
  const lines = new Map<Ticker, Line>();
  const builds = new Set<string>();
  const damages: string[] = [];
  let records = 0;
  let strategyAssumed = false;

  function lineOf(symbol: Ticker): Line {
    const known = lines.get(symbol);
    if (known !== undefined) return known;
    const line: Line = {
      symbol,
      begins: 0,
      steps: 0,
      equal: 0,
      notCompared: 0,
      difference: null,
      gaps: [],
      runner: null,
      altered: change === null ? null : createAlteredLane(change, strategyOf, createRunner),
    };
    lines.set(symbol, line);
    return line;
  }

  const steps = assembleSteps({
    begin(record, found, since) {
      const { params } = found.lane;
      if (only !== null && params.symbol !== only) return;
      const line = lineOf(params.symbol);
      line.begins += 1;
      if (line.runner !== null && line.difference === null && since !== 'restartFromBroker')
        line.difference = compareBegin(line.runner.lane(), found.lane, record, since === 'restart');
      strategyAssumed ||= found.strategy === null;
      const begin = { ...found, strategy: found.strategy ?? options.strategy };
      if (line.difference === null) line.runner = createReplayRunner(begin, strategyFor(begin), createRunner);
      line.altered?.begin(begin);
    },
    step(step) {
      if (only !== null && step.symbol !== only) return;
      playStep(lineOf(step.symbol), step);
    },
    gap(symbol, text) {
      if (only !== null && symbol !== only) return;
      const line = lineOf(symbol);
      line.gaps.push(text);
      line.runner = null;
      line.altered?.lose();
    },
    damage: (text) => void damages.push(text),
  });

  const strategyFor = ({ owner, strategy }: LaneBegin & { strategy: StrategySetting }): Strategy =>
    owner === 'custodian' ? neverEnter : strategyOf(strategy);

  function playStep(line: Line, step: RecordedStep): void {
    const { runner } = line;
    line.altered?.step(step, line.difference === null ? runner : null);
    if (runner === null || line.difference !== null) {
      line.notCompared += 1;
      return;
    }
    const before = runner.lane();
    line.difference = compareStep(step, runner.feed(step.event), before);
    line.steps += 1;
    if (line.difference === null) line.equal += 1;
  }

  return {
    take(record) {
      records += 1;
      if (record.kind === 'session' && isObject(record.body) && typeof record.body.build === 'string')
        builds.add(record.body.build);
      steps.take(record);
    },
    result() {
      steps.end();
      const lanes = [...lines.values()].map(({ runner: _, altered, ...line }) => ({
        ...line,
        change: altered?.result() ?? null,
      }));
      return { records, builds: [...builds], strategyAssumed, lanes, damages };
    },
  };
}

/** What somebody began with against what the steps before had led to. */
function compareBegin(
  before: Lane,
  found: Lane,
  { id, at, day }: StoredRecord,
  isRestart: boolean,
): Difference | null {
  const wasOpen = sharesHeld(before) !== 0 || unsettledOrders(before).length > 0;
  // A start outside the session asks the broker what there is, unless something was left open.
  if (isRestart && before.plan?.day !== day && !wasOpen) return null;
  const path = firstDifference(isRestart ? { ...before, params: found.params } : before, found);
  if (path === null) return null;
  return {
    kind: 'state',
    record: id,
    decision: null,
    at,
    event: null,
    recorded: [],
    replayed: [],
    before,
    path,
  };
}
