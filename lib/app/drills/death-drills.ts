import { after } from '../../domain/time.ts';
import type { Drill } from './drill.ts';
import { boughtAndHeld, GRACE, untilHeld } from './pieces.ts';

/** What dies: a thread, the process, the journal's file. */
export const DEATH_DRILLS: readonly Drill[] = [
  {
    name: 'worker-killed',
    life: 'the thread of a lane dies while the lane holds shares',
    holds: [],
    faults: [],
    needs: ['shares held'],
    marks: ['the lane lost', 'the lane given back'],
    scene: 'trading',
    rules: boughtAndHeld,
    async play(stage) {
      const symbol = await untilHeld(stage);
      await stage.daemon.endThreadOf(symbol);
      await stage.logged('lane.lost', (fields) => fields.symbol === symbol);
      stage.mark('the lane lost');
      await stage.sold(symbol);
      await stage.logged('lane.givenBack', (fields) => fields.symbol === symbol);
      stage.mark('the lane given back');
    },
  },
  {
    name: 'process-killed',
    life: 'the daemon is killed (SIGKILL) with shares in hand, started again, and killed again before it has sold',
    holds: [],
    faults: [],
    needs: ['shares held', 'killed twice'],
    marks: [],
    scene: 'trading',
    rules: boughtAndHeld,
    async play(stage) {
      const symbol = await untilHeld(stage);
      await stage.daemon.kill();
      await stage.daemon.start();
      await stage.daemon.kill();
      stage.mark('killed twice');
      await stage.daemon.start();
      await stage.sold(symbol);
    },
  },
  {
    name: 'journal-lost',
    life: 'the journal takes nothing any more (disk full, volume gone), shares in hand; later it does again',
    holds: ['entriesStop'],
    faults: [],
    needs: ['shares held'],
    marks: ['the loss noticed', 'sold without a journal', 'the journal mended'],
    scene: 'trading',
    expects: ['journal.failed'],
    losesRecords: true,
    rules: boughtAndHeld,
    async play(stage) {
      const symbol = await untilHeld(stage);
      const since = stage.lines();
      await stage.daemon.loseJournal();
      await stage.logged('journal.failed', undefined, since);
      stage.mark('the loss noticed');
      const from = after(await stage.now(), GRACE);
      await stage.sold(symbol);
      stage.mark('sold without a journal');
      stage.noEntries(from, await stage.now(), 'the journal took nothing');
      await stage.daemon.giveJournalBack();
      await stage.logged('journal.mended', undefined, since);
      stage.mark('the journal mended');
    },
  },
];
