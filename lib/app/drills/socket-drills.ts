import { after, seconds } from '../../domain/time.ts';
import type { FrameMatch } from '../../sim/fault-types.ts';
import type { Drill, Stage } from './drill.ts';
import { ALWAYS, boughtAndHeld, foundByAsking, GRACE, refuse, untilHeld } from './pieces.ts';

/** What the sockets do: say nothing, break, refuse, or find their place taken. */

const ANYTHING: FrameMatch = { event: null, side: null, symbol: null };

const isNotLive =
  (feed: 'data' | 'trade') =>
  (fields: { readonly feed?: unknown; readonly state?: unknown }): boolean =>
    fields.feed === feed && fields.state !== 'live';
const isLive =
  (feed: 'data' | 'trade') =>
  (fields: { readonly feed?: unknown; readonly state?: unknown }): boolean =>
    fields.feed === feed && fields.state === 'live';

/** From the moment that the daemon knows of the loss there is no entry until the socket is live again. */
async function shutWhileDown(
  stage: Stage,
  feed: 'data' | 'trade',
  since: number,
  mend: () => Promise<void>,
): Promise<void> {
  await stage.logged('feed.state', isNotLive(feed), since);
  stage.mark('the loss noticed');
  const from = after(await stage.now(), GRACE);
  await mend();
  const until = await stage.now();
  stage.lift();
  if (until > from) stage.noEntries(from, until, `the ${feed} socket was down`);
  await stage.logged('feed.state', isLive(feed), since);
}

export const SOCKET_DRILLS: readonly Drill[] = [
  {
    name: 'mute-data',
    life: 'the data socket stays open and says nothing any more, shares in hand',
    holds: ['entriesStop'],
    faults: ['dataDrop'],
    needs: ['shares held'],
    marks: ['the loss noticed'],
    scene: 'trading',
    rules: boughtAndHeld,
    async play(stage) {
      const symbol = await untilHeld(stage);
      const since = stage.lines();
      stage.strike({
        kind: 'data',
        match: ANYTHING,
        from: null,
        times: ALWAYS,
        action: { kind: 'drop' },
      });
      await shutWhileDown(stage, 'data', since, async () => {
        await stage.sold(symbol);
      });
    },
  },
  {
    name: 'mute-trading',
    life: 'the trade-updates socket stays open and tells of no order',
    holds: [],
    faults: ['updateDrop'],
    needs: ['shares held'],
    marks: ['the fill found by asking'],
    scene: 'trading',
    rules: boughtAndHeld,
    script: () => [{ kind: 'updates', match: ANYTHING, from: null, times: ALWAYS, action: { kind: 'drop' } }],
    play: (stage) => foundByAsking(stage, 'the fill found by asking'),
  },
  {
    name: 'trading-down',
    life: 'the trade-updates socket breaks and every new connection is refused, shares in hand',
    holds: ['entriesStop'],
    faults: ['dropSocket', 'connectRefuse'],
    needs: ['shares held'],
    marks: ['the loss noticed', 'sold while it was down'],
    scene: 'trading',
    rules: boughtAndHeld,
    async play(stage) {
      const symbol = await untilHeld(stage);
      const since = stage.lines();
      stage.strike(refuse('trading', null), { kind: 'drop', target: 'trading', at: await stage.now() });
      await shutWhileDown(stage, 'trade', since, async () => {
        await stage.sold(symbol);
        stage.mark('sold while it was down');
      });
    },
  },
  {
    name: 'slot-taken',
    life: 'the data socket breaks and another session has taken its slot (406), shares in hand',
    holds: ['entriesStop'],
    faults: ['dropSocket', 'connectSlotTaken'],
    needs: ['shares held'],
    marks: ['the loss noticed', 'the slot waited for'],
    scene: 'trading',
    rules: boughtAndHeld,
    async play(stage) {
      const symbol = await untilHeld(stage);
      const since = stage.lines();
      stage.strike(
        {
          kind: 'connect',
          target: 'data',
          from: null,
          times: 1,
          action: { kind: 'connectSlotTaken', after: 0 },
        },
        { kind: 'drop', target: 'data', at: await stage.now() },
      );
      await shutWhileDown(stage, 'data', since, async () => {
        await stage.logged('feed.state', (fields) => fields.state === 'slotTaken', since);
        stage.mark('the slot waited for');
        await stage.until(after(await stage.now(), seconds(60)));
      });
      await stage.sold(symbol);
    },
  },
];
