import { reportLane } from '../adapters/control/lane-report.ts';
import type { ControlHandlers, ControlReply } from '../adapters/control/protocol.ts';
import { viewStatus } from '../adapters/control/status-view.ts';
import type { Ticker } from '../domain/ids.ts';
import { formatDecimal } from '../domain/money.ts';
import type { AdoptAnswer } from '../engine/adoption.ts';
import type { LaneAnswer } from '../engine/ask-lane.ts';
import type { Engine } from '../engine/engine-types.ts';
import type { OperatorAnswer } from '../engine/kill-switch.ts';

/**
 * What an operator's commands make the engine do. `isKillHeld`: the kill file still lies there, and would only be forgotten
 * if its latch were cleared above it.
 */
export function operatorHandlers(engine: Engine, isKillHeld: () => boolean = () => false): ControlHandlers {
  const order = ({ symbol, by, why }: { symbol: string | null; by: string; why: string }) => ({
    symbol: symbol as Ticker | null,
    by,
    why,
  });
  return {
    status: () => ({ ok: true, value: viewStatus(engine.status()) }),
    lane: async ({ symbol }) => laneSeen(await engine.askLane(symbol as Ticker)),
    pause: (request) => replyOf(engine.pause(order(request))),
    resume: (request) =>
      request.clearLatches && isKillHeld()
        ? KILL_FILE_THERE
        : replyOf(engine.resume({ ...order(request), clearLatches: request.clearLatches })),
    flatten: (request) => replyOf(engine.flatten(order(request))),
    adopt: async ({ symbol, by, why }) => adopted(await engine.adopt({ symbol: symbol as Ticker, by, why })),
    kill: ({ by, why }) => replyOf(engine.kill({ by, why })),
  };
}

const KILL_FILE_THERE: ControlReply = {
  ok: false,
  code: 'killFile',
  text: 'the kill file must be removed before the latch is cleared; it is still there',
};

function laneSeen(answer: LaneAnswer): ControlReply {
  return answer.kind === 'seen'
    ? { ok: true, value: reportLane(answer.view) }
    : { ok: false, code: answer.code, text: answer.text };
}

function adopted(answer: AdoptAnswer): ControlReply {
  if (answer.kind === 'refused') return { ok: false, code: answer.code, text: answer.text };
  const { kind, symbol, shares, averagePx, canceled } = answer;
  return {
    ok: true,
    value: { kind, symbol, shares, averagePriceUsd: formatDecimal(averagePx), canceled },
  };
}

function replyOf(answer: OperatorAnswer): ControlReply {
  return answer.kind === 'done'
    ? { ok: true, value: answer }
    : { ok: false, code: answer.code, text: answer.text };
}
