import { after, before, type Duration, type Micros, minutes, seconds } from '../../domain/time.ts';
import type { SimFill } from '../../sim/exchange-api.ts';
import type { Drill, DrillTimes } from './drill.ts';
import { ALWAYS, boughtAndHeld, onRequest, refuse } from './pieces.ts';

/** What happens in the last minutes, with shares in hand that must be gone before the close. */

const earlier = (a: Micros, b: Micros): Micros => (a < b ? a : b);

/** The halt ends with time to get out: a minute and a half into the flatten, or half of it. */
const resumeAt = ({ flattenAt, closeAt }: DrillTimes): Micros =>
  earlier(after(flattenAt, seconds(90)), after(flattenAt, ((closeAt - flattenAt) / 2) as Duration));

/** Five minutes, or until a minute before the close. */
const backAt = ({ strikeAt, closeAt }: DrillTimes): Micros =>
  earlier(after(strikeAt, minutes(5)), before(closeAt, minutes(1)));

/** Bought so late that it is held at this instant: no exit fills before the holding time is over. */
const heldAt =
  ({ holdMax }: DrillTimes, instant: Micros) =>
  ({ at }: SimFill): boolean =>
    at > instant - holdMax && at < instant;

export const CLOSE_DRILLS: readonly Drill[] = [
  {
    name: 'halt-at-flatten',
    life: 'a symbol with shares in hand is halted just before the flatten and resumes in the middle of it',
    holds: ['quietInHalt'],
    faults: ['halt'],
    needs: ['shares held'],
    marks: [],
    scene: 'close',
    rules: boughtAndHeld,
    script: (times) => {
      const { symbol, strikeAt } = times;
      return [
        { kind: 'act', at: strikeAt, action: { kind: 'halt', symbol, code: 'H', reason: 'LUDP' } },
        { kind: 'act', at: resumeAt(times), action: { kind: 'resume', symbol } },
      ];
    },
    async play(stage) {
      const isHeld = heldAt(stage, stage.strikeAt);
      await stage.filled('buy', (fill) => fill.symbol === stage.symbol && isHeld(fill));
      stage.mark('shares held');
      await stage.logged('feed.halt', (fields) => fields.symbol === stage.symbol);
      stage.quiet(stage.symbol, after(await stage.now(), seconds(5)), resumeAt(stage));
      await stage.until(resumeAt(stage));
      await stage.sold(stage.symbol);
    },
  },
  {
    name: 'half-day',
    life: 'the session closes at 13:00, and shares are in hand when its flatten begins',
    holds: [],
    faults: [],
    needs: ['shares held at the flatten'],
    marks: [],
    scene: 'halfDay',
    ends: 'close',
    rules: boughtAndHeld,
    async play(stage) {
      const { symbol } = await stage.filled('buy', heldAt(stage, stage.flattenAt));
      const sold = await stage.sold(symbol);
      if (stage.halfDay && sold.at >= stage.flattenAt) stage.mark('shares held at the flatten');
    },
  },
  {
    name: 'broker-down',
    life: 'a minute before the flatten the broker is gone for five: REST and both sockets refuse, shares in hand',
    holds: [],
    faults: ['restReset', 'dropSocket', 'connectRefuse'],
    needs: ['shares held', 'held until it was back'],
    marks: [],
    scene: 'close',
    pace: 0.6,
    rules: boughtAndHeld,
    script: ({ strikeAt }) => [
      { ...onRequest({}, ALWAYS, { kind: 'reset', accept: false }), from: strikeAt },
      refuse('data', strikeAt),
      refuse('trading', strikeAt),
      { kind: 'drop', target: 'data', at: strikeAt },
      { kind: 'drop', target: 'trading', at: strikeAt },
    ],
    async play(stage) {
      const { symbol } = await stage.filled('buy', heldAt(stage, stage.strikeAt));
      stage.mark('shares held');
      await stage.until(backAt(stage));
      stage.lift();
      const sold = await stage.sold(symbol);
      if (sold.at >= backAt(stage)) stage.mark('held until it was back');
    },
  },
];
