import { wallTime } from '../adapters/time/calendar.ts';
import { type Lane, sharesHeld } from '../domain/lane.ts';
import type { LaneCommand, LaneEvent } from '../domain/lane-types.ts';
import { formatDecimal } from '../domain/money.ts';
import type { Micros } from '../domain/time.ts';
import type { DayReplay, LaneReplay } from '../engine/replay.ts';
import type { Difference } from '../engine/replay-step.ts';
import { table } from './table.ts';

export type ReplayFacts = DayReplay & {
  readonly day: string;
  readonly journal: string;
  /** The build that replayed. */
  readonly build: string;
  readonly set: readonly string[];
};

const firstOf = (lane: LaneReplay): Difference | null => lane.change?.difference ?? lane.difference;

/** Everything was compared, and nothing differs. */
export const isSame = ({ lanes, damages }: DayReplay): boolean =>
  damages.length === 0 &&
  lanes.every(
    ({ difference, gaps, notCompared, change }) =>
      difference === null && gaps.length === 0 && notCompared === 0 && (change?.difference ?? null) === null,
  );

/** A replay as lines for people: the table, then each lane's first difference, then what it comes to. */
export function describeReplay(facts: ReplayFacts): readonly string[] {
  const { day, journal, build, builds, records, lanes, set } = facts;
  const wrote = builds.length === 0 ? 'an older build' : builds.join(', ');
  return [
    `${day} from ${journal}: ${records} records written by ${wrote}, replayed by ${build}`,
    ...(set.length === 0 ? [] : [`with ${set.join(', ')}`]),
    ...(facts.strategyAssumed
      ? ['the records are too old to name their strategy: the one of the configuration was taken']
      : []),
    '',
    ...table(set.length === 0 ? rowsOf(lanes) : changedRowsOf(lanes)),
    ...lanes.flatMap(describeLane),
    ...(facts.damages.length === 0 ? [] : ['', ...facts.damages.map((text) => `damaged: ${text}`)]),
    '',
    conclusion(facts),
  ];
}

const at = (instant: Micros): string =>
  `${wallTime(instant)}.${String(instant % 1_000_000).padStart(6, '0')}`;

const whenOf = (difference: Difference | null): string => (difference === null ? '-' : at(difference.at));

const rowsOf = (lanes: readonly LaneReplay[]) => [
  ['symbol', 'begins', 'steps', 'equal', 'not compared', 'first difference'],
  ...lanes.map((lane) => [
    lane.symbol,
    lane.begins,
    lane.steps,
    lane.equal,
    lane.notCompared,
    whenOf(lane.difference),
  ]),
];

const changedRowsOf = (lanes: readonly LaneReplay[]) => [
  ['symbol', 'steps', 'equal', 'first difference', 'signals', 'then', 'gone', 'added'],
  ...lanes.map(({ symbol, change }) => [
    symbol,
    change?.steps ?? 0,
    change?.equal ?? 0,
    whenOf(change?.difference ?? null),
    change?.signals.recorded ?? 0,
    change?.signals.replayed ?? 0,
    change?.signals.gone ?? 0,
    change?.signals.added ?? 0,
  ]),
];

function describeLane(lane: LaneReplay): readonly string[] {
  const { symbol, difference, change, gaps } = lane;
  const blocks: string[] = [];
  if (difference !== null) blocks.push('', ...describeDifference(symbol, difference, ''));
  if (change !== null && change.difference !== null)
    blocks.push('', ...describeDifference(symbol, change.difference, 'with the changed settings '));
  if (gaps.length > 0)
    blocks.push('', `${symbol}  not everything is recorded, so not everything could be compared:`);
  return [...blocks, ...gaps.map((gap) => `     ${gap}`)];
}

const SAID: Readonly<Record<Difference['kind'], string>> = {
  signal: 'the strategy says something else',
  commands: 'the lane wants something else done',
  bar: 'the lane-runner does not take this bar',
  threw: 'our own code throws',
  request: 'a recorded request was not asked for by its decision',
  state: 'somebody began with the lane in another state than it was left in',
  wake: 'the lane acts by itself between two recorded events',
};

const NEEDS_NO_PATH: readonly Difference['kind'][] = ['signal', 'bar', 'request'];

function describeDifference(symbol: string, difference: Difference, prefix: string): readonly string[] {
  const { kind, record, decision, event, recorded, replayed, before, path } = difference;
  const where = kind === 'wake' ? `before record ${record}` : `record ${record}`;
  const ids = decision === null || decision === record ? where : `${where}, decision ${decision}`;
  const what = path === '' || NEEDS_NO_PATH.includes(kind) ? '' : ` (${path})`;
  return [
    `${symbol}  ${at(difference.at)}  ${prefix}${SAID[kind]}${what}: ${ids}`,
    ...(event === null ? [] : [`     event     ${describeEvent(event)}`]),
    ...(kind === 'state' ? [] : listed('recorded', recorded)),
    ...(kind === 'state' ? [] : listed('replayed', replayed)),
    `     before    ${describeState(before)}`,
  ];
}

function listed(title: string, commands: readonly LaneCommand[]): readonly string[] {
  const lines = commands.length === 0 ? ['nothing'] : commands.map(describeCommand);
  return lines.map((line, index) => `     ${(index === 0 ? title : '').padEnd(9)} ${line}`);
}

function describeEvent(event: LaneEvent): string {
  const mark = event.mark === null ? 'no mark' : `mark ${formatDecimal(event.mark.price)}`;
  switch (event.kind) {
    case 'barClosed':
      return `bar ${wallTime(event.bar.startAt)} ${event.origin}, close ${formatDecimal(event.bar.close)}, signal ${event.signal}, ${mark}`;
    case 'reported':
      return `report ${event.report.status} on ${event.report.clientOrderId}, ${event.report.cumQty} of ${event.report.orderQty}, ${mark}`;
    case 'submitSettled':
      return `submit ${event.verdict.kind}: ${event.clientOrderId}, ${mark}`;
    default:
      return `${event.kind}, ${mark}`;
  }
}

function describeCommand(command: LaneCommand): string {
  switch (command.kind) {
    case 'submit': {
      const { side, qty, price, purpose, clientOrderId } = command.intent;
      const limit = price.type === 'limit' ? `limit ${formatDecimal(price.limit)}` : 'at market';
      return `submit ${side} ${qty} ${limit} (${purpose}) ${clientOrderId}`;
    }
    case 'cancel':
      return `cancel ${command.clientOrderId} (${command.purpose})`;
    case 'roundTripClosed':
      return `round trip closed: ${command.trip.qty} shares, ${formatDecimal(command.trip.proceeds)} for ${formatDecimal(command.trip.cost)}`;
    case 'entryRefused':
      return `entry refused: ${command.code}: ${command.detail}`;
    case 'alarm':
      return `alarm ${command.code}: ${command.detail}`;
  }
}

function describeState(lane: Lane): string {
  const { stage, mode, gate, day } = lane;
  const order = 'order' in stage ? ` ${stage.order.intent.clientOrderId} ${stage.order.kind}` : '';
  const entries = gate.kind === 'open' ? 'entries open' : `entries shut (${gate.code})`;
  return `${stage.kind}${order}, ${sharesHeld(lane)} shares, ${mode}, ${entries}, ${day.roundTrips} round trips`;
}

function conclusion(facts: ReplayFacts): string {
  const { lanes, set, damages } = facts;
  const steps = lanes.reduce((sum, lane) => sum + lane.steps, 0);
  const gaps = lanes.some((lane) => lane.gaps.length > 0) || damages.length > 0;
  const lanesOf = (count: number): string => (count === 1 ? 'one lane' : `${count} lanes`);
  const own = lanes.filter(({ difference }) => difference !== null).length;
  if (set.length > 0 && own > 0)
    return `This build decides differently in ${lanesOf(own)} without any change: replay without --set first.`;
  const differing = lanes.filter((lane) => firstOf(lane) !== null).length;
  if (set.length > 0 && differing > 0)
    return [
      `${lanesOf(differing)} of ${lanes.length} would have decided differently. After its first differing decision a lane`,
      'would have sent other orders, which the recorded reports do not answer: from there on signals are compared, fills are not.',
    ].join('\n');
  if (differing > 0)
    return `${lanesOf(differing)} of ${lanes.length} decide differently; the first decision of each is shown.`;
  if (gaps)
    return `Every decision that could be compared is the same (${steps} steps), but the journal is not whole.`;
  const same =
    set.length === 0 ? 'Every recorded decision is the same' : 'Nothing would have been decided differently';
  return `${same}: ${steps} steps of ${lanesOf(lanes.length)}.`;
}
