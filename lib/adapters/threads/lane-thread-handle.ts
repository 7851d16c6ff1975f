import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import type { Piscina } from 'piscina';
import type { Ticker } from '../../domain/ids.ts';
import type { LaneLoss } from '../../ports/lane-host.ts';
import { lossOf, ThreadEnded } from './lane-loss.ts';
import type { LaneSeat, LaneThreadTask, ThreadDownlink, ThreadUplink } from './thread-protocol.ts';

/** One lane thread as the main thread holds it: a Piscina task that runs until `end`, `abort` or its own death. */
export type LaneThreadHandle = {
  /** Symbols that live here; kept by the host. */
  readonly lanes: Set<Ticker>;
  /** `null` until the thread has said hello. */
  threadId(): number | null;
  /** Resolves when it has said hello, or never will. */
  readonly arrival: Promise<void>;
  /** No new lane may be seated: the thread was told to end, was ended or is gone. */
  isEnding(): boolean;
  seat(seat: LaneSeat): void;
  end(): void;
  /** Terminates the thread now, whatever it does. `onGone` follows with this loss. */
  abort(loss: LaneLoss): void;
  /** Its pulse as counted so far; `null` until `watch`: loading a strategy may rightly take longer than a stall. */
  pulse(): number | null;
  /** Its first lanes are ready. */
  watch(): void;
};

export function startLaneThread(
  pool: Piscina<LaneThreadTask, void>,
  marks: SharedArrayBuffer,
  pulseEveryMs: number,
  onGone: (loss: LaneLoss) => void,
): LaneThreadHandle {
  const { port1: port, port2: farPort } = new MessageChannel();
  // Memory of its own: a thread that was ended while it hung may still count, and must not vouch for its successor.
  const pulse = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const beats = new Int32Array(pulse);
  const abortion = new AbortController();
  let id: number | null = null;
  let ending = false;
  let watched = false;

  let arrived: () => void = () => {};
  const arrival = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const hear = (message: ThreadUplink): void => {
    id = message.threadId;
    arrived();
  };
  port.on('message', hear);
  port.unref();
  const gone = (loss: LaneLoss): void => {
    ending = true;
    port.close();
    arrived();
    onGone(loss);
  };
  pool
    .run({ port: farPort, marks, pulse, pulseEveryMs }, { transferList: [farPort], signal: abortion.signal })
    .then(
      () => gone({ code: 'exited', text: 'the thread ended' }),
      (error: unknown) => gone(lossOf(error)),
    );
  const send = (message: ThreadDownlink, seat?: LaneSeat): void =>
    port.postMessage(message, seat === undefined ? [] : [seat.port, seat.control]);
  return {
    lanes: new Set(),
    arrival,
    threadId() {
      // A lane's `ready` travels on another port and may be read before the hello that was said earlier.
      const unread = id === null ? receiveMessageOnPort(port) : undefined;
      if (unread !== undefined) hear(unread.message);
      return id;
    },
    isEnding: () => ending,
    seat: (seat) => send({ kind: 'seat', seat }, seat),
    end() {
      if (ending) return;
      ending = true;
      send({ kind: 'end' });
    },
    abort(loss) {
      ending = true;
      abortion.abort(new ThreadEnded(loss));
    },
    watch() {
      watched = true;
    },
    pulse: () => (watched ? Atomics.load(beats, 0) : null),
  };
}
