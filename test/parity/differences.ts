import type { Difference } from './compare.ts';
import type { RuleName } from './rules.ts';

const HELD = 'at the end: holds 19 AAA';
const MARKET_RESTS = 'at the end: rests sell 19 AAA at market';
const EXIT_RESTS = 'at the end: rests sell 19 AAA @ 100.21';

/** The script holds on and lets its exit rest; scalpd gets out two minutes after the first fill. */
const bailOutAt = (time: string, shares = 19): Difference => ({
  rule: 'bailOut',
  script: [HELD, EXIT_RESTS],
  scalpd: [`${time} cancel sell AAA`, `${time} sell ${shares} AAA at market`],
});

/** The script's market sells against its own resting exit, from the first to the last check. */
function refusedChecks(first: string, last: string): readonly string[] {
  const lines: string[] = [];
  for (let at = secondsOf(first); at <= secondsOf(last); at += 30)
    lines.push(`${timeOf(at)} sell 19 AAA at market, refused`);
  return lines;
}

function secondsOf(time: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = time.split(':').map(Number);
  return (hours * 60 + minutes) * 60 + seconds;
}

const timeOf = (total: number): string =>
  [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');

const ENDED: Difference = { rule: 'staysUp', script: ['at the end: process ended 0'], scalpd: [] };

/**
 * Every difference between the recorded script and scalpd, scenario by scenario. Instants are UTC; the open is 14:30. A
 * difference that is not listed fails the test, and so does one that is listed and does not occur.
 */
export const SCENARIO_DIFFERENCES: Readonly<Record<string, readonly Difference[]>> = {
  'buy-rejected': [],
  'buy-unfilled': [
    {
      rule: 'exactPatience',
      script: ['14:54:10 cancel buy AAA', '15:02:10 cancel buy AAA'],
      scalpd: ['14:54:00.5 cancel buy AAA', '15:02:00.5 cancel buy AAA'],
    },
  ],
  'cancel-race-fill': [
    {
      rule: 'exactPatience',
      script: ['14:54:10 cancel buy AAA', '14:54:10 sell 19 AAA @ 100.30'],
      scalpd: ['14:54:00.5 cancel buy AAA', '14:54:00.5 sell 19 AAA @ 100.30'],
    },
  ],
  'data-socket-drops': [bailOutAt('14:54:05')],
  'duplicate-fill': [
    {
      rule: 'countsOnce',
      script: ['14:59:05 sell 38 AAA @ 100.40, refused', 'at the end: holds 38 AAA', EXIT_RESTS],
      scalpd: ['14:59:05 sell 19 AAA @ 100.41', HELD, 'at the end: rests sell 19 AAA @ 100.41'],
    },
    {
      rule: 'bailOut',
      script: [],
      scalpd: ['14:54:05 cancel sell AAA', '14:54:05 sell 19 AAA at market'],
    },
  ],
  'entry-at-the-bell': [
    {
      rule: 'entryCutoff',
      script: [
        '20:54:00.5 buy 19 AAA @ 100.20',
        '20:55:05 sell 19 AAA @ 100.21',
        ...refusedChecks('20:55:10', '20:59:40'),
        '21:00:10 sell 19 AAA at market',
        HELD,
        'at the end: rests sell 19 AAA at market',
      ],
      scalpd: [],
    },
    ENDED,
  ],
  'eod-liquidation': [
    {
      rule: 'priceOnTick',
      script: ['20:47:05 sell 19 AAA @ 100.21, refused', '20:55:10 sell 19 AAA at market'],
      scalpd: ['20:47:05 sell 19 AAA @ 100.21'],
    },
    {
      rule: 'bailOut',
      script: [],
      scalpd: ['20:49:05 cancel sell AAA', '20:49:05 sell 19 AAA at market'],
    },
    ENDED,
  ],
  'exit-fills-after-1555': [
    {
      rule: 'flattenLadder',
      script: [
        ...refusedChecks('20:55:10', '20:55:40'),
        '20:56:10 sell 19 AAA at market',
        'at the end: holds -19 AAA',
      ],
      scalpd: [],
    },
    {
      rule: 'bailOut',
      script: [],
      scalpd: ['20:49:05 cancel sell AAA', '20:49:05 sell 19 AAA at market'],
    },
    ENDED,
  ],
  'exit-fills-after-1555-no-shorting': [
    { rule: 'flattenLadder', script: refusedChecks('20:55:10', '21:00:10'), scalpd: [] },
    {
      rule: 'bailOut',
      script: [],
      scalpd: ['20:49:05 cancel sell AAA', '20:49:05 sell 19 AAA at market'],
    },
    ENDED,
  ],
  'exit-partial-then-canceled': [
    {
      rule: 'exitTriedAgain',
      script: ['14:53:00 sell 10 AAA at market'],
      scalpd: ['14:53:01 sell 10 AAA @ 100.21'],
    },
    {
      rule: 'bailOut',
      script: [],
      scalpd: ['14:54:05 cancel sell AAA', '14:54:05 sell 5 AAA at market'],
    },
  ],
  'exit-post-500': [
    {
      rule: 'unknownLookedUp',
      script: [HELD],
      scalpd: ['14:52:15.5 sell 19 AAA @ 100.21'],
    },
    {
      rule: 'bailOut',
      script: [],
      scalpd: ['14:54:05 cancel sell AAA', '14:54:05 sell 19 AAA at market'],
    },
  ],
  'exit-rejected': [
    {
      rule: 'exitTriedAgain',
      script: ['14:52:05.1 sell 19 AAA at market'],
      scalpd: [
        '14:52:06.1 sell 19 AAA @ 100.21',
        '14:52:08.2 sell 19 AAA @ 100.21',
        '14:52:12.3 sell 19 AAA @ 100.21',
        '14:52:20.4 sell 19 AAA @ 100.21',
        '14:52:36.5 sell 19 AAA @ 100.21',
        '14:53:06.6 sell 19 AAA @ 100.21',
        '14:53:36.7 sell 19 AAA @ 100.21',
      ],
    },
    { rule: 'bailOut', script: [], scalpd: ['14:54:05 sell 19 AAA at market'] },
  ],
  'exit-unfilled-eod': [
    {
      rule: 'flattenLadder',
      script: [
        ...refusedChecks('20:55:10', '20:59:40'),
        '21:00:10 sell 19 AAA at market',
        'at the end: rests sell 19 AAA at market',
      ],
      scalpd: [],
    },
    {
      rule: 'bailOut',
      script: [],
      scalpd: ['20:49:05 cancel sell AAA', '20:49:05 sell 19 AAA at market'],
    },
    ENDED,
  ],
  'exit-unfilled-eod-oversell-allowed': [
    { rule: 'flattenLadder', script: ['20:55:10 sell 19 AAA at market'], scalpd: [] },
    {
      rule: 'bailOut',
      script: [],
      scalpd: ['20:49:05 cancel sell AAA', '20:49:05 sell 19 AAA at market'],
    },
    ENDED,
  ],
  'forming-bar-in-history': [bailOutAt('14:54:05')],
  'last-trade-fails': [
    {
      rule: 'lastTradeFromFeed',
      script: [],
      scalpd: ['14:52:00.5 buy 19 AAA @ 100.20', '14:52:05 sell 19 AAA @ 100.21'],
    },
    {
      rule: 'bailOut',
      script: [],
      scalpd: ['14:54:05 cancel sell AAA', '14:54:05 sell 19 AAA at market'],
    },
  ],
  'lost-fill': [
    {
      rule: 'pollFindsFill',
      script: ['14:54:10 cancel buy AAA, refused', HELD, 'at the end: process ended 1'],
      scalpd: ['14:52:10 sell 19 AAA @ 100.21'],
    },
    {
      rule: 'bailOut',
      script: [],
      scalpd: ['14:54:05 cancel sell AAA', '14:54:05 sell 19 AAA at market'],
    },
  ],
  'no-entry-after-1555': [],
  normal: [
    {
      rule: 'exactPatience',
      script: ['15:01:10 cancel buy AAA'],
      scalpd: ['15:01:00.5 cancel buy AAA'],
    },
  ],
  'partial-then-cancel': [
    {
      rule: 'exactPatience',
      script: ['14:54:10 cancel buy AAA', '14:54:10 sell 6 AAA @ 100.30'],
      scalpd: ['14:54:00.5 cancel buy AAA', '14:54:00.5 sell 6 AAA @ 100.30'],
    },
  ],
  'partial-then-fill': [
    {
      rule: 'bailOut',
      script: [],
      scalpd: ['14:54:05.5 cancel sell AAA', '14:54:05.5 sell 19 AAA at market'],
    },
  ],
  // No sell ever fills in the next three, ours at market included.
  'period-read-fails': [
    {
      rule: 'failedReadIsNoFact',
      script: ['at the end: process ended 1'],
      scalpd: [],
    },
    {
      rule: 'bailOut',
      script: [EXIT_RESTS],
      scalpd: ['14:54:05 cancel sell AAA', '14:54:05 sell 19 AAA at market', MARKET_RESTS],
    },
  ],
  'position-read-fails': [
    {
      rule: 'positionFromFills',
      script: [HELD],
      scalpd: [
        '14:52:05 sell 19 AAA @ 100.21',
        '14:58:00.5 buy 19 AAA @ 100.30',
        'at the end: rests buy 19 AAA @ 100.30',
      ],
    },
  ],
  'post-429': [
    {
      rule: 'rateLimitPause',
      script: ['14:52:08 sell 19 AAA @ 100.21'],
      scalpd: ['14:52:10 sell 19 AAA @ 100.21'],
    },
    bailOutAt('14:54:05'),
  ],
  'post-500-accepted': [
    {
      rule: 'unknownLookedUp',
      script: [
        '14:59:00.5 buy 19 AAA @ 100.40',
        '14:59:05 sell 38 AAA @ 100.40',
        'at the end: holds 38 AAA',
        'at the end: rests sell 38 AAA @ 100.40',
      ],
      scalpd: ['14:52:05 sell 19 AAA @ 100.21', HELD],
    },
    {
      rule: 'bailOut',
      script: [],
      scalpd: ['14:54:05 cancel sell AAA', '14:54:05 sell 19 AAA at market', MARKET_RESTS],
    },
  ],
  'post-504-accepted': [
    {
      rule: 'unknownLookedUp',
      script: [
        '14:52:03.5 buy 19 AAA @ 100.20',
        '14:52:05 sell 38 AAA @ 100.21',
        'at the end: holds 38 AAA',
        'at the end: rests sell 38 AAA @ 100.21',
      ],
      scalpd: ['14:52:05 sell 19 AAA @ 100.21', HELD],
    },
    {
      rule: 'bailOut',
      script: [],
      scalpd: ['14:54:05 cancel sell AAA', '14:54:05 sell 19 AAA at market', MARKET_RESTS],
    },
  ],
  'price-above-lot': [
    { rule: 'zeroSharesDenied', script: ['14:52:00.5 buy 0 AAA @ 100.20, refused'], scalpd: [] },
  ],
  'restart-with-position': [{ rule: 'notOurs', script: ['20:55:10 sell 19 AAA at market'], scalpd: [HELD] }],
  'restart-with-position-and-exit': [],
  'start-before-open': [ENDED],
  'start-first-minute': [],
  'sub-penny-noise': [
    {
      rule: 'priceOnTick',
      script: ['14:52:05 sell 19 AAA @ 100.21, refused', HELD],
      scalpd: ['14:52:05 sell 19 AAA @ 100.21'],
    },
  ],
  'trading-socket-drops': [bailOutAt('14:54:05')],
  'two-symbols': [],
};

/** Bars on which only the script sees a crossing. */
export type SignalDifference = {
  readonly day: string;
  readonly symbol: string;
  /** Start of the bar, UTC. */
  readonly bar: string;
  readonly rule: RuleName;
};

export const SIGNAL_DIFFERENCES: readonly SignalDifference[] = [
  { day: '2013-10-07', symbol: 'BAC', bar: '14:24', rule: 'exactAverage' },
  { day: '2013-10-08', symbol: 'BAC', bar: '16:37', rule: 'exactAverage' },
  { day: '2014-06-06', symbol: 'TWX', bar: '18:26', rule: 'exactAverage' },
  { day: '2019-02-11', symbol: 'BAC', bar: '19:30', rule: 'exactAverage' },
];
