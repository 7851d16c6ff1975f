import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { callControl } from '../../adapters/control/client.ts';
import type { ControlAction } from '../../adapters/control/protocol.ts';
import { controlPath } from '../../adapters/control/socket-path.ts';
import type { StatusView } from '../../adapters/control/status-view.ts';
import type { Ticker } from '../../domain/ids.ts';
import type { SimFill } from '../../sim/exchange-api.ts';
import type { ExchangeThread } from '../exchange-thread.ts';
import { EXIT } from '../exit-codes.ts';
import { type DaemonEnd, type DaemonPlan, type DaemonProcess, startDaemon } from './daemon-process.ts';
import type { DrillLine, DrillTimes, Stage } from './drill.ts';
import type { Silence } from './judge.ts';
import { createWatch, DrillStopped } from './watch.ts';

/** What a drill is played on, and what was seen of it for the judge. */
export type OpenStage = {
  readonly stage: Stage;
  readonly lines: readonly DrillLine[];
  readonly marks: ReadonlySet<string>;
  readonly silences: readonly Silence[];
  /** How each daemon that was not killed on purpose has ended. */
  readonly ends: readonly DaemonEnd[];
  /** Takes a fill that the exchange booked. */
  see(fill: SimFill): void;
  /** Waits until the daemon has ended by itself after the close. */
  ended(): Promise<void>;
  /** Ends every wait; Ctrl-C, or the exchange is gone. */
  fail(cause: DrillStopped): void;
  /** Kills whatever is left. */
  close(): Promise<void>;
};

export type StageSetup = {
  readonly times: DrillTimes;
  readonly speed: number;
  readonly thread: ExchangeThread;
  readonly plan: DaemonPlan;
  readonly folder: string;
  readonly patienceMs: number;
};

export function openStage({ times, speed, thread, plan, folder, patienceMs }: StageSetup): OpenStage {
  const watch = createWatch(patienceMs);
  const fills: SimFill[] = [];
  const lines: DrillLine[] = [];
  const marks = new Set<string>();
  const silences: Silence[] = [];
  const ends: DaemonEnd[] = [];
  const held = new Map<Ticker, number>();
  let running: { readonly process: DaemonProcess; killed: boolean; over: boolean; told: boolean } | null =
    null;

  const control = async (action: ControlAction): Promise<unknown> => {
    const reply = await callControl(controlPath(plan.journalPath), action, 'drill');
    if (reply.ok) return reply.value;
    throw new DrillStopped('recovered', `the daemon must do as it is told (${action.kind}): ${reply.text}`);
  };
  const status = async (): Promise<StatusView> => (await control({ kind: 'status' })) as StatusView;

  async function start(): Promise<void> {
    const process = startDaemon(plan, folder, (line) => {
      lines.push(line);
      watch.look();
    });
    const mine = { process, killed: false, over: false, told: false };
    running = mine;
    let ready = false;
    void process.ready.then(() => {
      ready = true;
      watch.look();
    });
    void process.ended.then((end) => {
      mine.over = true;
      if (!mine.killed) ends.push(end);
      // Who waits for this end is told first.
      watch.look();
      if (!mine.killed && !mine.told) watch.fail(early(end));
    });
    await watch.for('the daemon to be ready', () => (ready || mine.over ? true : null));
  }

  const over = (what: string): Promise<true> =>
    watch.for(what, () => (running === null || running.over ? true : null));

  const stage: Stage = {
    ...times,
    now: async () => (await thread.ledger()).at,
    async until(at) {
      for (;;) {
        const now = (await thread.ledger()).at;
        if (now >= at) return;
        await sleep(Math.min(200, Math.ceil((at - now) / 1_000 / speed)));
        await watch.for('the exchange', () => true);
      }
    },
    strike: (...faults) => {
      for (const fault of faults) thread.strike(fault);
    },
    lift: () => thread.lift(),
    filled: (side, fits = () => true) =>
      watch.for(`a fill (${side})`, () => fills.find((fill) => fill.side === side && fits(fill)) ?? null),
    sold: (symbol) =>
      watch.for(`${symbol} to be sold`, () =>
        held.get(symbol) === 0 ? (fills.findLast((fill) => fill.symbol === symbol) ?? null) : null,
      ),
    logged: (event, fits = () => true, since = 0) =>
      watch.for(
        `the log to say ${event}`,
        () =>
          lines.find((line, index) => index >= since && line.event === event && fits(line.fields)) ?? null,
      ),
    lines: () => lines.length,
    mark: (what) => void marks.add(what),
    noEntries: (from, until, why) => void silences.push({ from, until, symbol: null, why }),
    quiet: (symbol, from, until) => void silences.push({ from, until, symbol, why: `${symbol} was halted` }),
    daemon: {
      start,
      async kill() {
        if (running === null) return;
        running.killed = true;
        running.process.kill();
        await running.process.ended;
      },
      async stop() {
        if (running === null) return;
        running.told = true;
        running.process.stop();
        await over('the daemon to end');
      },
      async endThreadOf(symbol) {
        const lane = (await status()).lanes.find((each) => each.symbol === symbol);
        if (lane?.threadId == null)
          throw new DrillStopped('recovered', `a lane must have a thread: ${symbol} has none`);
        running?.process.endThread(lane.threadId);
      },
      killSwitch: async (why) => void (await control({ kind: 'kill', why })),
      latch: async () => (await status()).latch,
      // What stands in the way is a folder: nothing can be written there under any user.
      async loseJournal() {
        await rename(plan.journalPath, join(folder, 'journal.away'));
        await mkdir(plan.journalPath);
      },
      async giveJournalBack() {
        await rm(plan.journalPath, { recursive: true, force: true });
        await rename(join(folder, 'journal.away'), plan.journalPath);
      },
    },
  };
  return {
    stage,
    lines,
    marks,
    silences,
    ends,
    see(fill) {
      fills.push(fill);
      held.set(fill.symbol, (held.get(fill.symbol) ?? 0) + (fill.side === 'buy' ? fill.qty : -fill.qty));
      watch.look();
    },
    async ended() {
      await over('the daemon to end after the close');
    },
    fail: watch.fail,
    async close() {
      if (running === null || running.over) return;
      running.killed = true;
      running.process.kill();
      await running.process.ended;
    },
  };
}

/** A session that is over is no fault of the daemon's: there was nothing left to wait for. */
function early({ result, code, signal }: DaemonEnd): DrillStopped {
  if (result?.code === EXIT.done)
    return new DrillStopped('recovered', 'the session was over before it could be seen');
  const how = result === null ? `exit ${code ?? signal}` : `exit ${result.code}: ${result.text}`;
  return new DrillStopped('ended', `the daemon ended before its time: ${how}`);
}
