import type { ControlHandlers, ControlReply } from '../adapters/control/protocol.ts';
import { viewStatus } from '../adapters/control/status-view.ts';
import type { Ticker } from '../domain/ids.ts';
import type { Engine } from '../engine/engine-types.ts';
import type { OperatorAnswer } from '../engine/kill-switch.ts';

/** What an operator's commands make the engine do. */
export function operatorHandlers(engine: Engine): ControlHandlers {
  const order = ({ symbol, by, why }: { symbol: string | null; by: string; why: string }) => ({
    symbol: symbol as Ticker | null,
    by,
    why,
  });
  return {
    status: () => ({ ok: true, value: viewStatus(engine.status()) }),
    pause: (request) => replyOf(engine.pause(order(request))),
    resume: (request) => replyOf(engine.resume({ ...order(request), clearLatches: request.clearLatches })),
    flatten: (request) => replyOf(engine.flatten(order(request))),
    kill: ({ by, why }) => replyOf(engine.kill({ by, why })),
  };
}

function replyOf(answer: OperatorAnswer): ControlReply {
  return answer.kind === 'done'
    ? { ok: true, value: answer }
    : { ok: false, code: answer.code, text: answer.text };
}
