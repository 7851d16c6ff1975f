import type { LaneReport } from '../../adapters/control/lane-report.ts';
import type { StatusView } from '../../adapters/control/status-view.ts';
import type { Register } from '../command.ts';
import { CONFIG_HELP, CONFIG_OPTION } from '../configuration.ts';
import { table } from '../table.ts';
import { askDaemon, conclude, type OperatorOptions, symbolOf } from './operator.ts';

export const registerStatus: Register = (program, { io, ends }) => {
  program
    .command('status')
    .description('what the running daemon is doing, lane by lane')
    .option(CONFIG_OPTION, CONFIG_HELP)
    .option('-l, --lane <S>', 'one lane as its own thread sees it, asked on the spot')
    .option('--json', 'print everything as JSON')
    .action(
      ends(async (options: OperatorOptions & { readonly lane?: string }) => {
        const symbol = symbolOf(options.lane);
        if (symbol !== null) {
          const answer = await askDaemon(io, options, { kind: 'lane', symbol });
          return conclude(io, options, answer, (value) => describeLane(value as LaneReport));
        }
        const reply = await askDaemon(io, options, { kind: 'status' });
        return conclude(io, options, reply, (value) => describeStatus(value as StatusView));
      }),
    );
};

/** The status as lines for people: what is unusual first, then one line per lane. */
function describeStatus(status: StatusView): readonly string[] {
  const { session } = status;
  const usual = [
    `state      ${status.state}, ${status.flat ? 'flat' : 'holding shares'}, ${status.roundTrips} round trips`,
    `time       ${status.at} (exchange)`,
    session === null
      ? `session    none; next open ${status.nextOpensAt ?? 'unknown'}`
      : `session    ${session.day}, entries until ${session.entryCutoffAt}, flatten at ${session.flattenAt}`,
    `feeds      data ${feed(status.dataFeed)}; trades ${feed(status.tradeFeed)}`,
    `money      P&L today ${status.dayPnlUsd ?? 'unknown'}, buying power ${status.buyingPowerUsd ?? 'unknown'}`,
    `gateway    ${status.requestsWaiting} requests waiting, ${status.requestsFree} may leave now (entries: ${status.requestsFreeForEntries})`,
    `flatten    everything takes ${status.secondsToFlatten} s from now${status.lanesStuck === 0 ? '' : `, ${status.lanesStuck} halted lanes left out`}`,
  ];
  const unusual = [
    ...(status.latch === null ? [] : [`LATCHED    ${status.latch}`]),
    ...(status.overloadedSince === null
      ? []
      : [`OVERLOADED since ${status.overloadedSince}: more market data than can be taken, entries are shut`]),
    ...(status.flattening === null ? [] : [describeFlattening(status.flattening, status.secondsToFlatten)]),
    ...(status.journalBroken
      ? [`JOURNAL    not writable: entries are stopped, ${status.journalLost} records lost`]
      : []),
    ...(!status.journalBroken && status.journalLost > 0
      ? [`JOURNAL    ${status.journalLost} records lost earlier; written again`]
      : []),
    ...(status.ordersUnknown === 0 ? [] : [`UNKNOWN    ${status.ordersUnknown} orders are being looked up`]),
    ...status.discrepancies.map(({ symbol, code, evidence }) => `DISAGREES  ${symbol} ${code}: ${evidence}`),
  ];
  const head = ['symbol', 'stage', 'mode', 'entries', 'shares', 'mark', 'trips', 'realized', 'why'];
  const lanes = status.lanes.map((lane) => [
    lane.symbol,
    lane.halted ? `${lane.stage} (halted)` : lane.stage,
    lane.mode,
    lane.gate,
    lane.shares,
    lane.markUsd ?? '-',
    lane.roundTrips,
    lane.realizedUsd,
    [...lane.because, ...(lane.owner === 'thread' ? [] : [lane.owner])].join(', '),
  ]);
  return [...unusual, ...usual, '', ...table([head, ...lanes])];
}

/** One lane as lines for people. */
function describeLane(lane: LaneReport): readonly string[] {
  const facts = Object.entries(lane.facts).map(([name, value]) => `${name} ${value}`);
  const orders = lane.orders.map(({ clientOrderId, side, qty, state }) =>
    [side, qty, clientOrderId, `(${state})`].join(' '),
  );
  return [
    `lane       ${lane.symbol}, thread ${lane.threadId}, heap ${(lane.heapUsedBytes / 1e6).toFixed(1)} MB`,
    `state      ${lane.stage}${lane.halted ? ' (halted)' : ''}, ${lane.mode}, entries ${lane.gate}`,
    `time       ${lane.at} (the latest it has seen)`,
    `holds      ${lane.shares} shares${orders.length === 0 ? '' : `; ${orders.join('; ')}`}`,
    `strategy   ${lane.barsSeen} bars seen${facts.length === 0 ? '' : `; ${facts.join(', ')}`}`,
    `today      ${lane.entries} entries, ${lane.roundTrips} round trips, realized ${lane.realizedUsd}`,
  ];
}

function describeFlattening(
  { reason, since, lanes, left, forecastSeconds }: NonNullable<StatusView['flattening']>,
  seconds: number,
): string {
  return `FLATTENING ${reason} since ${since}: ${left} of ${lanes} lanes left, ${seconds} s to go (forecast at the start ${forecastSeconds} s)`;
}

const feed = ({ state, detail }: StatusView['dataFeed']): string =>
  state === 'live' || detail === '' ? state : `${state} (${detail})`;
