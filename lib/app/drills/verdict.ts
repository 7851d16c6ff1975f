import type { Ticker } from '../../domain/ids.ts';
import type { Micros } from '../../domain/time.ts';
import type { Certificate } from '../../engine/certificate-types.ts';
import type { FullBooks, LedgerView } from '../exchange-thread.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { DaemonEnd } from './daemon-process.ts';
import type { Drill, DrillLine, InvariantName } from './drill.ts';
import * as judge from './judge.ts';
import type { DrillStopped } from './watch.ts';

/** `evidence`: what broke the invariant; `null` when it held. */
export type Verdict = { readonly invariant: InvariantName; readonly evidence: string | null };

/** What is known after a drill: the exchange's books first, then what the daemon said. */
export type Evidence = {
  readonly before: LedgerView;
  readonly after: FullBooks;
  readonly closeAt: Micros;
  readonly requestsPerMinute: number;
  readonly lines: readonly DrillLine[];
  readonly marks: ReadonlySet<string>;
  readonly silences: readonly judge.Silence[];
  /** The day's flat certificate; `null` when there is none. */
  readonly certificate: Certificate | null;
  readonly ends: readonly DaemonEnd[];
  readonly stopped: DrillStopped | null;
};

/** What holds in every drill; a drill adds its own. */
export const ALWAYS: readonly InvariantName[] = [
  'struck',
  'recovered',
  'ended',
  'flat',
  'flatBeforeClose',
  'neverShort',
  'idsUnique',
  'oneLiveOrder',
  'rate',
  'booksAgree',
  'certificate',
  'noAlarms',
];

/** What each invariant says, for people. */
export const MEANINGS: Readonly<Record<InvariantName, string>> = {
  struck: 'the fault really happened, and there was something to lose',
  recovered: 'the daemon noticed, and went on as it should',
  ended: 'the daemon ended by itself, with exit code 0 (4 where shares of others stay)',
  flat: "nothing held and nothing open in the exchange's books",
  flatBeforeClose: 'the last share was sold before the close',
  neverShort: 'at no fill were more shares sold than bought',
  idsUnique: 'every order has an id of ours, and no intent was sent twice',
  oneLiveOrder: 'one live order of a symbol at a time',
  rate: 'never more requests in 60 s than gateway.requestsPerMinute',
  booksAgree: "the daemon's report agrees with the exchange's books to the cent",
  certificate: 'the flat certificate says flat, and why not where shares of others are',
  othersUntouched: 'shares of others are left alone',
  entriesStop: 'no entry while there must be none',
  quietInHalt: 'nothing is sent for a halted symbol but cancels',
  noAlarms: 'no crash, no damage, no disagreement in the log',
};

const ALARMS = [
  'daemon.crashed',
  'daemon.open',
  'order.undead',
  'journal.damaged',
  'journal.failed',
  'lanes.fault',
  'feed.fault',
  'custodian.threw',
  'session.notFlat',
  'reconcile.discrepancy',
];

export function judgeDrill(drill: Drill, evidence: Evidence): readonly Verdict[] {
  const { before, after, stopped } = evidence;
  const orders = judge.judged(after);
  const foreign: judge.Foreign = new Map(
    before.positions.map(({ symbol, shares }): [Ticker, number] => [symbol, shares]),
  );
  const silent = (perSymbol: boolean): string | null =>
    judge.spoken(
      orders,
      evidence.silences.filter(({ symbol }) => (symbol !== null) === perSymbol),
    );
  const answers: Readonly<Record<InvariantName, () => string | null>> = {
    struck: () => struckNobody(drill, evidence),
    recovered: () => (stopped?.invariant === 'recovered' ? stopped.message : unmarked(drill.marks, evidence)),
    ended: () =>
      stopped?.invariant === 'ended' ? stopped.message : badEnd(evidence.ends, drill.exit ?? EXIT.done),
    flat: () => judge.notFlat(after, foreign),
    flatBeforeClose: () => judge.soldLate(after, evidence.closeAt),
    neverShort: () => judge.shorted(after, foreign),
    idsUnique: () => judge.duplicated(orders),
    oneLiveOrder: () => judge.overlapping(orders),
    rate: () => judge.tooFast(after, evidence.requestsPerMinute),
    booksAgree: () => judge.disagreeing(evidence.ends.at(-1)?.result?.report ?? null, before, after, foreign),
    certificate: () => judge.uncertified(evidence.certificate, foreign, drill.losesRecords),
    othersUntouched: () => judge.touched(orders, foreign),
    entriesStop: () => silent(false),
    quietInHalt: () => silent(true),
    noAlarms: () => alarm(drill, evidence.lines),
  };
  return [...ALWAYS, ...drill.holds].map((invariant) => ({ invariant, evidence: answers[invariant]() }));
}

function struckNobody({ faults, needs }: Drill, evidence: Evidence): string | null {
  const missed = faults.filter((kind) => (evidence.after.hits[kind] ?? 0) === 0);
  if (missed.length > 0) return `never struck: ${missed.join(', ')}`;
  const unmet = unmarked(needs, evidence);
  return unmet === null ? null : `${unmet}${refusals(evidence.lines)}`;
}

/** Why nothing was bought, where that is what was missing. */
function refusals(lines: readonly DrillLine[]): string {
  const refused = lines.filter(
    ({ event, fields }) => event === 'lane.entry.refused' && fields.code !== 'backfilled',
  );
  const codes = [...new Set(refused.map(({ fields }) => String(fields.code)))];
  return codes.length === 0 ? '' : ` (entries refused: ${codes.join(', ')})`;
}

function unmarked(wanted: readonly string[], { marks }: Evidence): string | null {
  const missing = wanted.filter((mark) => !marks.has(mark));
  return missing.length === 0 ? null : `never seen: ${missing.join(', ')}`;
}

function badEnd(ends: readonly DaemonEnd[], wanted: ExitCode): string | null {
  if (ends.length === 0) return 'the daemon never ended by itself';
  const bad = ends.find(({ result }) => result === null || result.code !== wanted);
  if (bad === undefined) return null;
  return bad.result === null
    ? `the daemon died: exit ${bad.code ?? bad.signal}`
    : `exit ${bad.result.code}: ${bad.result.text}`;
}

function alarm({ expects = [] }: Drill, lines: readonly DrillLine[]): string | null {
  const line = lines.find(({ event }) => ALARMS.includes(event) && !expects.includes(event));
  if (line === undefined) return null;
  const { symbol, code, text, ...rest } = line.fields;
  const said = [symbol, code, text ?? JSON.stringify(rest)].filter((part) => part !== undefined);
  return `${line.event}: ${said.join(' ').split('\n', 1)[0]}`;
}
