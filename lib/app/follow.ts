import { setTimeout as sleep } from 'node:timers/promises';
import { callControl } from '../adapters/control/client.ts';
import type { ControlReply } from '../adapters/control/protocol.ts';
import type { StatusView } from '../adapters/control/status-view.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';

/** What an operator waits for, and how it is asked and told. */
export type Following = {
  /** One lane, or all when `null`. */
  readonly symbol: string | null;
  /** Wall seconds after which it is given up. */
  readonly patience: number;
  readonly ask: () => Promise<ControlReply>;
  readonly tell: (line: string) => void;
  readonly complain: (line: string) => void;
};

export const WAIT_OPTION = '--wait [SECONDS]';
export const WAIT_HELP =
  'wait until it is flat, 300 s when no number is given; exit code 4 when it is not flat by then';
const PATIENCE_SECONDS = 300;
const PATIENCE_MAX = 86_400;
const LOOK_MILLIS = 250;

/** Wall seconds to wait, `null` when nobody asked to; text for people when it is no number of seconds. */
export function readPatience(wait: string | true | undefined): number | string | null {
  if (wait === undefined) return null;
  if (wait === true) return PATIENCE_SECONDS;
  const seconds = Number(wait);
  return /^\d{1,5}$/.test(wait) && seconds >= 1 && seconds <= PATIENCE_MAX
    ? seconds
    : `--wait: allowed: seconds, 1 to ${PATIENCE_MAX}; found: ${wait}`;
}

export const statusOn = (path: string) => (): Promise<ControlReply> => callControl(path, { kind: 'status' });

/** Tells how getting out goes until it is done. */
export async function followUntilFlat({
  symbol,
  patience,
  ask,
  tell,
  complain,
}: Following): Promise<ExitCode> {
  const until = performance.now() + patience * 1_000;
  let told = '';
  for (;;) {
    const reply = await ask();
    if (!reply.ok) {
      complain(`scalpd: not known whether it is flat: ${reply.text} (${reply.code})`);
      return EXIT.unreachable;
    }
    const open = openLanes(reply.value as StatusView, symbol);
    if (open.length === 0) {
      tell(symbol === null ? 'flat' : `${symbol} is flat`);
      return EXIT.done;
    }
    const line = progressLine(reply.value as StatusView, open);
    if (line !== told) tell(line);
    told = line;
    if (performance.now() >= until) {
      const left = open.map(({ symbol: each, shares, stage }) => `${each} ${shares} shares (${stage})`);
      complain(`scalpd: not flat within ${patience} s: ${left.join(', ')}`);
      return EXIT.notFlat;
    }
    await sleep(LOOK_MILLIS);
  }
}

/** Lanes with shares, or with an order that could still bring or take some. */
const openLanes = ({ lanes }: StatusView, symbol: string | null): StatusView['lanes'] =>
  lanes.filter(
    (lane) => (symbol === null || lane.symbol === symbol) && (lane.shares !== 0 || lane.stage !== 'flat'),
  );

function progressLine(status: StatusView, open: StatusView['lanes']): string {
  const halted = open.filter((lane) => lane.halted).length;
  const shares = open.reduce((sum, lane) => sum + Math.abs(lane.shares), 0);
  const waits = halted === 0 ? '' : `; ${halted} halted, which no forecast counts`;
  return `getting out: ${open.length} lanes, ${shares} shares; about ${Math.ceil(status.secondsToFlatten)} s of market time${waits}`;
}
