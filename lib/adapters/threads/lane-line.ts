import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { type Endpoint, wrap } from 'comlink';
import type { Ticker } from '../../domain/ids.ts';
import type { LaneControl } from '../../ports/lane-host.ts';
import type { LaneDownlink, LaneInputMessage, LaneStep } from '../../ports/lane-protocol.ts';
import type { HoldBack } from './hold-back.ts';
import type { SeatUplink } from './thread-protocol.ts';

/**
 * The main thread's end of one lane: its two ports, its numbering, its control plane.
 *
 * A port has no bound of its own and never pushes back. What is under way to a lane is bounded by the supervisor, which
 * gives a lane up that leaves too much unanswered; a lane speaks only in answer, once for each message, so what is under
 * way from it is bounded by the same number. Prints never come here: the newest one lies in shared memory.
 *
 * Waking a thread is the dearest part of a message. A step that was taken already therefore waits a moment, and goes with
 * the next message that asks for a decision, or with others like it; messages keep their order in any case.
 */
export type LaneLine = {
  /** The ends that travel to the thread; to be transferred once. */
  readonly far: { readonly port: MessagePort; readonly control: MessagePort };
  readonly control: LaneControl;
  post(input: LaneInputMessage): number;
  repeat(step: LaneStep): number;
  ping(): number;
  stop(): void;
  /** Handles what has arrived and not been read: a thread's end is known before its last messages are. */
  drain(): void;
  /** Nothing is heard or said afterwards; pending control calls reject with `reason`. */
  close(reason: string): void;
};

export function openLaneLine(onUplink: (uplink: SeatUplink) => void, holdBack: HoldBack): LaneLine {
  const { port1: port, port2: farPort } = new MessageChannel();
  const { port1: controlPort, port2: farControl } = new MessageChannel();
  let open = true;
  let seq = 0;
  const hear = (uplink: SeatUplink): void => {
    if (open) onUplink(uplink);
  };
  port.on('message', hear);
  const control = openControl(controlPort);
  // The task's own port keeps the process alive while lanes live; these must not keep it alive afterwards.
  port.unref();
  controlPort.unref();

  let held: LaneDownlink[] = [];
  const release = (): void => {
    const messages = held;
    held = [];
    if (open && messages.length > 0) port.postMessage(messages);
  };
  const send = (message: LaneDownlink, canWait = false): number => {
    held.push(message);
    if (!canWait) release();
    else if (held.length === 1) holdBack(release);
    return message.seq;
  };
  return {
    far: { port: farPort, control: farControl },
    control: control.remote,
    post: (input) => send({ seq: ++seq, kind: 'input', input }),
    repeat: (step) => send({ seq: ++seq, kind: 'step', step }, true),
    ping: () => send({ seq: ++seq, kind: 'ping' }),
    stop: () => send({ seq: ++seq, kind: 'stop' }),
    drain() {
      for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port))
        hear(next.message);
    },
    close(reason) {
      open = false;
      port.close();
      controlPort.close();
      control.close(reason);
    },
  };
}

/** Comlink leaves a call to a dead thread pending for ever; here it rejects when the line closes. */
function openControl(port: MessagePort): { readonly remote: LaneControl; close(reason: string): void } {
  const proxy = wrap<LaneControl>(port as unknown as Endpoint);
  const pending = new Set<(error: Error) => void>();
  let closedBecause: string | null = null;
  const call = <T>(begin: () => Promise<T>): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      if (closedBecause !== null) {
        reject(new Error(closedBecause));
        return;
      }
      pending.add(reject);
      begin()
        .then(resolve, reject)
        .finally(() => pending.delete(reject));
    });
  return {
    remote: {
      status: () => call(() => proxy.status()),
    },
    close(reason) {
      closedBecause = reason;
      for (const reject of pending) reject(new Error(reason));
      pending.clear();
    },
  };
}

/** The control plane of a lane that is not there: every call says so. */
export function absentControl(symbol: Ticker): LaneControl {
  return {
    async status() {
      throw new Error(`lane ${symbol} is not running`);
    },
  };
}
