import type { Ticker } from '../../domain/ids.ts';
import type { Price } from '../../domain/money.ts';
import { after, seconds } from '../../domain/time.ts';
import { EXIT } from '../exit-codes.ts';
import type { Drill, DrillTimes } from './drill.ts';
import { bought, boughtAndHeld, GRACE, untilHeld } from './pieces.ts';

/** What people do: shares of their own in the account, the kill switch. */

/** A symbol that is not bought first; with a single symbol it is that one. */
const heldByOthers = ({ symbols, symbol }: DrillTimes): Ticker =>
  symbols.find((each) => each !== symbol) ?? symbol;

export const ACCOUNT_DRILLS: readonly Drill[] = [
  {
    name: 'foreign-shares',
    life: 'the account holds shares of one symbol that somebody else bought',
    holds: ['othersUntouched'],
    faults: [],
    needs: [],
    marks: ['reported'],
    expects: ['reconcile.discrepancy', 'daemon.open'],
    exit: EXIT.notFlat,
    scene: 'trading',
    rules: bought(),
    before: (times) => [
      { kind: 'setPosition', symbol: heldByOthers(times), qty: 7, averagePrice: 1_000_000 as Price },
    ],
    async play(stage) {
      const foreign = heldByOthers(stage);
      await stage.logged('reconcile.discrepancy', (fields) => fields.symbol === foreign);
      stage.mark('reported');
      if (foreign === stage.symbol) {
        await stage.until(after(stage.signalAt, seconds(60)));
        return;
      }
      const { symbol } = await stage.filled('buy');
      await stage.sold(symbol);
    },
  },
  {
    name: 'kill-switch',
    life: 'the operator pulls the kill switch with shares in hand, and the daemon is started again afterwards',
    holds: ['entriesStop'],
    faults: [],
    needs: ['shares held'],
    marks: ['latched after the restart'],
    scene: 'trading',
    rules: boughtAndHeld,
    async play(stage) {
      const symbol = await untilHeld(stage);
      await stage.daemon.killSwitch('drill');
      stage.noEntries(after(await stage.now(), GRACE), null, 'the kill switch was pulled');
      await stage.sold(symbol);
      await stage.daemon.stop();
      await stage.daemon.start();
      if ((await stage.daemon.latch()) !== null) stage.mark('latched after the restart');
    },
  },
];
